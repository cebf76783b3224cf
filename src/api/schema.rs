//! JSON Schema of the types that are hand-written, as they are read; the generated ones derive it.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::wire::pattern::Pattern;
use super::wire::{
    Boolean, Bounded, Embedded, EngineId, EpochMillis, EpochSeconds, Hidden, Integer, JobStatus, Limited, Millis,
    ModelId, Number, Percent, Seconds, Segment, SpecId, Text, TrainingJobId, TrainingJobVersionId, VisualizationJobId,
    ZonelessTime,
};
use crate::secret::Secret;

macro_rules! schemas {
    ($($name:ident: $types:tt;)+) => {$(
        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({"type": $types})
            }
        }
    )+};
}
schemas! {
    Boolean: ["boolean", "string"];
    EngineId: ["integer", "string"];
    EpochMillis: ["integer", "string"];
    EpochSeconds: ["integer", "string"];
    Integer: ["integer", "string"];
    JobStatus: ["integer", "string"];
    Millis: ["integer", "string"];
    ModelId: ["integer", "string"];
    Number: ["number", "string"];
    Percent: ["number", "string"];
    Seconds: ["number", "string"];
    Secret: "string";
    Segment: "string";
    SpecId: ["integer", "string"];
    Text: ["string", "number"];
    TrainingJobId: ["integer", "string"];
    TrainingJobVersionId: ["integer", "string"];
    VisualizationJobId: ["integer", "string"];
    ZonelessTime: ["string", "number"];
}

impl<T: JsonSchema> JsonSchema for Embedded<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("Embedded_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [{"type": "string"}, generator.subschema_for::<T>()]})
    }
}

impl<T: JsonSchema> JsonSchema for Hidden<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("Hidden_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

impl<P: Pattern, const MIN: usize, const MAX: usize> JsonSchema for Limited<P, MIN, MAX> {
    fn schema_name() -> Cow<'static, str> {
        "Limited".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let mut schema = json_schema!({"type": "string", "minLength": MIN, "maxLength": MAX});
        if !P::PATTERN.is_empty() {
            schema.insert("pattern".to_owned(), P::PATTERN.into());
        }
        schema
    }
}

impl<const LOW: i64, const HIGH: i64> JsonSchema for Bounded<LOW, HIGH> {
    fn schema_name() -> Cow<'static, str> {
        format!("Bounded_{LOW}_{HIGH}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "integer", "minimum": LOW, "maximum": HIGH})
    }
}

macro_rules! texts {
    ($($path:path: $name:literal;)*) => {$(
        impl JsonSchema for $path {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({"type": "string"})
            }
        }
    )*};
}

// Includes the code of build.rs: the open enums, and all types of a service by name.
include!(concat!(env!("OUT_DIR"), "/schemas.rs"));
