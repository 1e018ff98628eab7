//! The report: figures, tables and checks.

use super::super::content::fields::{CHECK, FIGURE, REPORT, TABLE};
use super::super::content::{Check, Figure, Report, Table};
use super::super::document::{Entry, Node};
use super::super::fields as read;
use super::board::UNITS;
use super::query::By;
use super::{Gone, Read, Reader};

impl<'n> Reader<'n, '_, '_, '_> {
    pub(super) fn report_sections(&mut self) -> Report {
        let Some(node) = self.root.get("report") else { return Report::default() };
        let fields = self.fields(node, "`report`", &REPORT);
        let mut report = Report::default();
        for entry in fields.get("figures").map_or(&[][..], Node::entries) {
            let found = self.figure(entry);
            report.figures.extend(self.kept(found, entry.at, || format!("figure `{}`", entry.key)));
        }
        for entry in fields.get("tables").map_or(&[][..], Node::entries) {
            let found = self.table(entry);
            report.tables.extend(self.kept(found, entry.at, || format!("table `{}`", entry.key)));
        }
        for entry in fields.get("checks").map_or(&[][..], Node::entries) {
            let found = self.check(entry);
            report.checks.extend(self.kept(found, entry.at, || format!("check `{}`", entry.key)));
        }
        report
    }

    fn figure(&mut self, entry: &'n Entry) -> Read<Figure> {
        let what = format!("the figure `{}`", entry.key);
        let fields = self.fields(&entry.value, &what, &FIGURE);
        let Some(node) = fields.get("query") else {
            return Err(self.missing(entry.at, &what, "query"));
        };
        Ok(Figure {
            query: self.query(node, By::Required)?,
            title: self.text(&fields, "title", &what)?,
            about: self.text(&fields, "about", &what)?,
            unit: self.word(&fields, "unit", &UNITS)?,
            worse_up: self.word(&fields, "worse", &[("up", true), ("down", false)])?,
        })
    }

    fn table(&mut self, entry: &'n Entry) -> Read<Table> {
        let what = format!("the table `{}`", entry.key);
        let fields = self.fields(&entry.value, &what, &TABLE);
        let Some(by) = fields.get("by") else { return Err(self.missing(entry.at, &what, "by")) };
        let Some(columns) = fields.get("columns") else {
            return Err(self.missing(entry.at, &what, "columns"));
        };
        let columns = self.columns(columns, Some(by), &what)?;
        let by = read::text(by, self.report).ok_or(Gone::Fault)?.to_owned();
        let heading = self.optional(&fields, "heading")?.unwrap_or_else(|| by.clone());
        Ok(Table { title: self.text(&fields, "title", &what)?, by, heading, columns })
    }

    fn check(&mut self, entry: &'n Entry) -> Read<Check> {
        let what = format!("the check `{}`", entry.key);
        let fields = self.fields(&entry.value, &what, &CHECK);
        let Some(node) = fields.get("query") else {
            return Err(self.missing(entry.at, &what, "query"));
        };
        Ok(Check {
            query: self.query(node, By::Required)?,
            says: self.text(&fields, "says", &what)?,
        })
    }
}
