// Validates one description with swagger-parser and prints each error on a line of its own.
import SwaggerParser from "@apidevtools/swagger-parser";

try {
  await SwaggerParser.validate(process.argv[2], { validate: { spec: true, schema: true } });
} catch (error) {
  const details = error.details ?? [error];
  for (const { instancePath = "", message } of details) {
    console.log(`error ${instancePath} ${message}`);
  }
  process.exitCode = 1;
}
