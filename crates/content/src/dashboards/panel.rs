//! What a board is, whoever draws it: rows of panels, each a question in plain words with the queries that answer it.

use config::content;

/// Fewer events than this make no share, and no change when they are those of the period before.
pub const ENOUGH: u32 = 20;

/// A page of panels.
#[derive(Debug)]
pub struct Board {
    /// Its address, for ever.
    pub uid: String,
    /// Its name.
    pub title: String,
    /// For whom, and what it answers.
    pub description: String,
    /// How far back it looks at first, such as `28d`.
    pub range: String,
    /// How often it looks again.
    pub refresh: String,
    /// What may be chosen at its head.
    pub variables: Vec<Variable>,
    /// From the general to the special.
    pub rows: Vec<Row>,
}

/// What may be chosen at a board's head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Variable {
    /// Values of a label of a metric, any number of them.
    Label {
        /// The label, and the variable's name.
        label: String,
        /// Where its values are looked up.
        lookup: String,
    },
    /// How wide a bar is.
    Step,
    /// One of these texts.
    OneOf(&'static str, Vec<String>),
    /// One of the labels of the metric that is chosen as `metric`.
    LabelNames,
}

/// One question to a row.
#[derive(Debug)]
pub struct Row {
    /// The question.
    pub title: String,
    /// The answers.
    pub panels: Vec<Panel>,
}

/// One answer.
#[derive(Clone, Debug)]
pub struct Panel {
    /// In words that need no key.
    pub title: String,
    /// What it is, how it is computed, what good looks like.
    pub description: String,
    /// How it is drawn.
    pub view: View,
    /// What its numbers are.
    pub unit: Unit,
    /// Where they come from.
    pub queries: Vec<Query>,
    /// Columns of 24.
    pub width: u8,
    /// Rows of about 30 pixels.
    pub height: u8,
    /// From which number on it has a colour that asks for something.
    pub thresholds: Vec<(f64, Colour)>,
    /// Where the reasons are.
    pub links: Vec<Link>,
    /// Whether points lead to traces.
    pub exemplars: bool,
    /// Whether it shows nothing as long as all is well, or as long as nobody does such a thing.
    pub empty_when_healthy: bool,
    /// How far back it looks when that is not what is chosen, such as `7d`.
    pub since: Option<String>,
    /// Colours that belong to names.
    pub colours: Vec<(String, Colour)>,
    /// What people call values of the label that its numbers are split by.
    pub names: Vec<(String, String)>,
    /// Names of two lines, the upper first, between which all is usual: drawn as what lies between them.
    pub band: Option<[&'static str; 2]>,
}

/// How a panel is drawn.
#[derive(Clone, Debug, PartialEq)]
pub enum View {
    /// A few large numbers.
    Stat,
    /// Counts in steps of time, on top of each other.
    Bars,
    /// Levels over time.
    Lines,
    /// Names with a bar each, longest first.
    Ranking,
    /// Names with several numbers each: the label, and its heading.
    Table(String, String),
    /// How many in which size, over time.
    Heatmap,
    /// A number between two ends.
    Gauge,
    /// Which state when, with a word for 1 and one for 0.
    Timeline(String, String),
    /// Words, in Markdown.
    Text(String),
}

/// What numbers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Whole things.
    Count,
    /// Many things: thousands are K.
    Amount,
    /// 0 to 1, shown as per cent.
    Share,
    /// A relative change, shown as per cent.
    Change,
    /// A change of a share, in points of a hundred.
    Points,
    /// Seconds.
    Seconds,
    /// US dollars.
    Usd,
    /// US dollars with fractions of a cent.
    SmallUsd,
    /// Bytes.
    Bytes,
    /// A second's worth.
    PerSecond,
    /// A moment, in milliseconds, as its age.
    Ago,
    /// A number as it is.
    Number,
    /// 1 or 0, as a word.
    YesNo,
}

/// Where numbers come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// PromQL, with Grafana's variables.
    pub expr: String,
    /// The name of its numbers: a text, or `{{label}}`.
    pub legend: String,
    /// When it is another than the panel's.
    pub unit: Option<Unit>,
}

/// What a colour says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Nothing.
    Plain,
    /// As it should be.
    Good,
    /// Just so.
    Fair,
    /// Worth a look.
    Warning,
    /// Somebody should do something.
    Bad,
    /// Not part of it.
    Faint,
}

/// Where the reasons are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// What is there.
    pub title: String,
    /// Of which board.
    pub uid: String,
    /// The label whose clicked value is chosen there.
    pub label: Option<String>,
}

impl Query {
    /// A query in the panel's unit.
    pub fn new(legend: impl Into<String>, expr: impl Into<String>) -> Self {
        Self { expr: expr.into(), legend: legend.into(), unit: None }
    }

    /// The same with a unit of its own.
    pub fn in_unit(mut self, unit: Unit) -> Self {
        self.unit = Some(unit);
        self
    }
}

impl From<content::Unit> for Unit {
    fn from(unit: content::Unit) -> Self {
        match unit {
            content::Unit::Count => Self::Count,
            content::Unit::Amount => Self::Amount,
            content::Unit::Share => Self::Share,
            content::Unit::Seconds => Self::Seconds,
            content::Unit::Usd => Self::Usd,
            content::Unit::SmallUsd => Self::SmallUsd,
            content::Unit::Bytes => Self::Bytes,
            content::Unit::PerSecond => Self::PerSecond,
            content::Unit::Ago => Self::Ago,
            content::Unit::Number | content::Unit::Times => Self::Number,
            content::Unit::YesNo => Self::YesNo,
        }
    }
}

impl Panel {
    /// A panel of the size that its view mostly has.
    pub fn new(title: impl Into<String>, view: View, unit: Unit, queries: Vec<Query>) -> Self {
        let (width, height) = match view {
            View::Stat => (6, 4),
            View::Text(_) => (24, 3),
            View::Table(..) => (24, 9),
            View::Gauge => (6, 7),
            View::Timeline(..) => (24, 5),
            View::Bars | View::Lines | View::Ranking | View::Heatmap => (12, 8),
        };
        Self {
            title: title.into(),
            description: String::new(),
            view,
            unit,
            queries,
            width,
            height,
            thresholds: Vec::new(),
            links: Vec::new(),
            exemplars: false,
            empty_when_healthy: false,
            since: None,
            colours: Vec::new(),
            names: Vec::new(),
            band: None,
        }
    }

    /// With these words behind its `i`.
    pub fn about(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// So wide and so high.
    pub fn size(mut self, width: u8, height: u8) -> Self {
        (self.width, self.height) = (width, height);
        self
    }

    /// With colours from these numbers on.
    pub fn thresholds(mut self, thresholds: &[(f64, Colour)]) -> Self {
        self.thresholds = thresholds.to_vec();
        self
    }

    /// With a way to another board.
    pub fn see(mut self, title: &str, uid: &str) -> Self {
        self.links.push(Link { title: title.to_owned(), uid: uid.to_owned(), label: None });
        self
    }

    /// With points that lead to traces.
    pub fn with_exemplars(mut self) -> Self {
        self.exemplars = true;
        self
    }
}

impl Row {
    /// The panels that there are.
    pub fn new(title: impl Into<String>, panels: impl IntoIterator<Item = Option<Panel>>) -> Self {
        Self { title: title.into(), panels: panels.into_iter().flatten().collect() }
    }
}
