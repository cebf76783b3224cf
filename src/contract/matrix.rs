//! Compares reports of several endpoints.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::Plan;
use super::verdict::{Outcome, Report, Verdict};
use crate::cloud::Cloud;

/// The verdicts of several endpoints on the same clauses.
#[derive(Clone, Debug, Default)]
pub struct Matrix {
    names: Vec<String>,
    /// The cloud of each endpoint whose edition it was tested against, with the ids of the clauses that the cloud promises.
    promises: Vec<Option<(Cloud, BTreeSet<String>)>>,
    rows: Vec<Row>,
    /// The index of each clause's row.
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
        let cloud = report.cloud.as_deref().and_then(|name| name.parse().ok());
        self.promises.push(cloud.map(|cloud| {
            let plan = Plan::of_cloud(cloud);
            (cloud, plan.clauses().iter().map(|clause| clause.id().to_owned()).collect())
        }));
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

    /// Returns the names of the endpoints.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Returns the name of each endpoint, with the cloud whose edition it was tested against.
    pub fn headings(&self) -> impl Iterator<Item = String> {
        self.names.iter().zip(&self.promises).map(|(name, promise)| match promise {
            Some((cloud, ids)) => format!("{name} ({cloud}, {} clauses)", ids.len()),
            None => name.clone(),
        })
    }

    /// Returns whether each endpoint's cloud promises what a clause says; `None` where the endpoint was tested against all
    /// editions together.
    pub fn promised(&self, row: &Row) -> impl Iterator<Item = Option<bool>> {
        self.promises.iter().map(|promise| promise.as_ref().map(|(_, ids)| ids.contains(row.id())))
    }

    /// Returns a cell of the table for each endpoint: the verdict, or that its cloud does not promise the clause.
    pub fn cells(&self, row: &Row) -> impl Iterator<Item = &'static str> {
        row.verdicts().zip(self.promised(row)).map(|(verdict, promised)| match (verdict, promised) {
            (Some(verdict), _) => verdict.name(),
            (None, Some(false)) => "not promised",
            (None, _) => "",
        })
    }

    /// Returns the rows of all clauses that any of the reports has.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter()
    }
}

impl Row {
    /// Returns the id of the clause.
    pub fn id(&self) -> &str {
        &self.first.id
    }

    /// Returns the verdict of each endpoint; `None` where its report does not have the clause.
    pub fn verdicts(&self) -> impl Iterator<Item = Option<Verdict>> {
        self.outcomes.iter().map(|outcome| outcome.as_ref().map(|outcome| outcome.verdict))
    }

    /// Returns whether all endpoints have the same verdict.
    pub fn agrees(&self) -> bool {
        let mut verdicts = self.verdicts();
        let first = verdicts.next();
        verdicts.all(|verdict| Some(verdict) == first)
    }
}
