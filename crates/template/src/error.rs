//! What can go wrong with a template: one error type, with a place, an ARM-like code and a sentence that says what to do.

/// Why a template cannot be read or evaluated.
///
/// Every variant knows an ARM-like [`code`](Error::code) and a [`place`](Error::place) in the template, written as a JSON path
/// (`resources[0].properties.osProfile`); inside nested deployments the path goes on through `properties.template`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is not JSON.
    #[error("the template is not JSON: {message}. Correct the text at that position")]
    NotJson {
        /// What the JSON reader met, with line and column.
        message: String,
    },
    /// The JSON is not shaped like a template, or names something that is not there.
    #[error("{place}: {message}")]
    Invalid {
        /// JSON path in the template.
        place: String,
        /// What is wrong and what to write instead.
        message: String,
    },
    /// An expression cannot be read.
    #[error("{place}: the expression cannot be read at character {at}: {message}")]
    Syntax {
        /// JSON path in the template.
        place: String,
        /// Character offset within the string that holds the expression, from 0.
        at: usize,
        /// What was expected.
        message: String,
    },
    /// An expression can be read but not computed: wrong kind or number of arguments, missing property, index out of bounds.
    #[error("{place}: {message}")]
    Expression {
        /// JSON path in the template.
        place: String,
        /// The part of the expression that failed.
        expression: String,
        /// What is wrong and what to write instead.
        message: String,
    },
    /// ARM refuses it in a whole sentence of its own, which names what is wrong: it needs no place before it.
    #[error("{message}")]
    Refused {
        /// ARM's code.
        code: String,
        /// JSON path in the template.
        place: String,
        /// The part of an expression that failed; empty where no expression did.
        expression: String,
        /// ARM's sentence, as it stands between the quotes of `Deployment template validation failed: '…'`.
        message: String,
    },
    /// A function that this evaluator does not know. It never guesses.
    #[error(
        "The template function '{function}' is not valid. Please see https://aka.ms/arm-functions for usage details."
    )]
    UnsupportedFunction {
        /// JSON path in the template.
        place: String,
        /// The name as written, with its namespace.
        function: String,
    },
    /// A linked template that the [`Runtime`](crate::Runtime) does not load.
    #[error(
        "{place}: the linked template `{link}` is not loaded. Put it into the document as `template`, or deploy it apart"
    )]
    LinkedTemplate {
        /// JSON path in the template.
        place: String,
        /// Its address, id or path, without secrets.
        link: String,
    },
    /// The template called `fail()`.
    #[error("{place}: the template refuses: {message}")]
    Fail {
        /// JSON path in the template.
        place: String,
        /// The template author's message.
        message: String,
    },
    /// A parameter's value does not fit its declaration. Only the first; [`check_parameters`](crate::check_parameters) gives all.
    #[error("{message}")]
    Parameter {
        /// The parameter's name.
        name: String,
        /// ARM's code, `InvalidTemplate`.
        code: String,
        /// ARM's sentence; it names the parameter.
        message: String,
    },
    /// One of ARM's limits, or one of the evaluator's own against runaway templates.
    #[error(
        "{place}: {what} is more than the limit of {limit}. Split the template or make it smaller"
    )]
    Limit {
        /// JSON path in the template.
        place: String,
        /// What is counted, with the number found where it is known.
        what: String,
        /// The limit.
        limit: u64,
    },
    /// The [`Runtime`](crate::Runtime) answered with an error.
    #[error("{message}")]
    Runtime {
        /// The code that the cloud gave, such as `ResourceNotFound`.
        code: String,
        /// The cloud's message.
        message: String,
    },
}

impl Error {
    /// ARM's code for this error: `InvalidTemplate`, `InvalidTemplateDeployment`, or what the runtime gave.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::NotJson { .. } => "InvalidRequestContent",
            Self::Parameter { code, .. }
            | Self::Runtime { code, .. }
            | Self::Refused { code, .. } => code,
            Self::Limit { .. }
            | Self::Invalid { .. }
            | Self::Syntax { .. }
            | Self::Expression { .. } => "InvalidTemplate",
            Self::UnsupportedFunction { .. } => "InvalidTemplate",
            Self::LinkedTemplate { .. } => "InvalidContentLink",
            Self::Fail { .. } => "DeploymentFailed",
        }
    }

    /// Where in the template: a JSON path, empty where there is none.
    #[must_use]
    pub fn place(&self) -> &str {
        match self {
            Self::Invalid { place, .. }
            | Self::Syntax { place, .. }
            | Self::Expression { place, .. }
            | Self::Refused { place, .. }
            | Self::UnsupportedFunction { place, .. }
            | Self::LinkedTemplate { place, .. }
            | Self::Fail { place, .. }
            | Self::Limit { place, .. } => place,
            Self::NotJson { .. } | Self::Parameter { .. } | Self::Runtime { .. } => "",
        }
    }

    /// An error for an implementation of [`Runtime`](crate::Runtime) to answer with.
    pub fn runtime(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Runtime {
            code: code.into(),
            message: message.into(),
        }
    }

    pub(crate) fn invalid(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid {
            place: place.into(),
            message: message.into(),
        }
    }

    /// What ARM refuses in this sentence, with the code `InvalidTemplate`.
    pub(crate) fn refused(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Refused {
            code: "InvalidTemplate".into(),
            place: place.into(),
            expression: String::new(),
            message: message.into(),
        }
    }

    /// An expression failed within something that ARM names: `wrap` makes the whole sentence. Other errors stay as they are.
    pub(crate) fn told(self, wrap: impl FnOnce(&str) -> String) -> Self {
        match self {
            Self::Expression {
                place,
                expression,
                message,
            } => Self::Refused {
                code: "InvalidTemplate".into(),
                place,
                expression,
                message: wrap(&message),
            },
            other => other,
        }
    }

    /// Gives the error a place, where it has none yet.
    pub(crate) fn placed(mut self, at: impl FnOnce() -> String) -> Self {
        match &mut self {
            Self::Invalid { place, .. }
            | Self::Syntax { place, .. }
            | Self::Expression { place, .. }
            | Self::Refused { place, .. }
            | Self::UnsupportedFunction { place, .. }
            | Self::LinkedTemplate { place, .. }
            | Self::Fail { place, .. }
            | Self::Limit { place, .. }
                if place.is_empty() =>
            {
                *place = at();
            }
            _ => {}
        }
        self
    }

    /// Puts the error of an inner template at its place in the outer one.
    pub(crate) fn within(mut self, outer: &str) -> Self {
        match &mut self {
            Self::Invalid { place, .. }
            | Self::Syntax { place, .. }
            | Self::Expression { place, .. }
            | Self::Refused { place, .. }
            | Self::UnsupportedFunction { place, .. }
            | Self::LinkedTemplate { place, .. }
            | Self::Fail { place, .. }
            | Self::Limit { place, .. } => *place = crate::place::join(outer, place),
            Self::NotJson { .. } | Self::Parameter { .. } | Self::Runtime { .. } => {}
        }
        self
    }
}

/// What ARM says of a function that stands where it is not taken. Public reports of refused deployments quote it.
pub(crate) fn misplaced_text(function: &str) -> String {
    format!(
        "The template function '{function}' is not expected at this location. Please see https://aka.ms/arm-functions for usage details."
    )
}
