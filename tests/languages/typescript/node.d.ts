declare module "node:fs" { export function readFileSync(path: string, encoding: string): string; }
declare const process: { env: Record<string, string | undefined>; argv: string[]; exit(code: number): never };
