//! The emulator.

#![cfg(feature = "emulator")]

#[path = "../common/mod.rs"]
mod common;
#[path = "../fixtures/mod.rs"]
mod fixtures;

mod access;
mod attacks;
mod crash;
mod leniency;
mod model;
mod modelarts;
mod mrs;
mod pages;
mod server;
mod types;
