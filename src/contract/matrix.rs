//! Reports of several endpoints side by side.

use std::collections::BTreeMap;

use super::verdict::{Outcome, Report, Verdict};

/// What several endpoints make of the same clauses.
#[derive(Clone, Debug, Default)]
pub struct Matrix {
    names: Vec<String>,
    rows: Vec<Row>,
    /// Where the row of a clause is.
    places: BTreeMap<String, usize>,
}

/// A clause with the verdict of each endpoint.
#[derive(Clone, Debug)]
pub struct Row {
    pub(super) first: Outcome,
    pub(super) outcomes: Vec<Option<Outcome>>,
}

impl Matrix {
    /// Adds the report of an endpoint under a name.
    pub fn add(&mut self, name: impl Into<String>, report: &Report) {
        self.names.push(name.into());
        for outcome in &report.outcomes {
            let place = *self.places.entry(outcome.id.clone()).or_insert_with(|| {
                self.rows.push(Row { first: outcome.clone(), outcomes: Vec::new() });
                self.rows.len() - 1
            });
            let outcomes = &mut self.rows[place].outcomes;
            outcomes.resize(self.names.len() - 1, None);
            outcomes.push(Some(outcome.clone()));
        }
        for row in &mut self.rows {
            row.outcomes.resize(self.names.len(), None);
        }
    }

    /// The names of the endpoints.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// All clauses that any of the reports has.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter()
    }
}

impl Row {
    /// The id of the clause.
    pub fn id(&self) -> &str {
        &self.first.id
    }

    /// The verdict of each endpoint; none where its report does not have the clause.
    pub fn verdicts(&self) -> impl Iterator<Item = Option<Verdict>> {
        self.outcomes.iter().map(|outcome| outcome.as_ref().map(|outcome| outcome.verdict))
    }

    /// Whether all endpoints have the same verdict.
    pub fn agrees(&self) -> bool {
        let mut verdicts = self.verdicts();
        let first = verdicts.next();
        verdicts.all(|verdict| Some(verdict) == first)
    }
}
