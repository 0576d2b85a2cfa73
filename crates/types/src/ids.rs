//! Identifiers: one UUIDv7 newtype per noun, so that a stack's id cannot be passed where a request's is meant.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// The last six hexadecimal digits: random in a UUIDv7, so they tell two things of one name apart in Azure's names.
            #[must_use]
            pub fn short(self) -> String {
                let text = self.0.simple().to_string();
                text[text.len() - 6..].to_owned()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
    };
}

id!(/// Names one request.
    RequestId);
id!(/// Names one sending of a form, among all that one person sends: the same number again is the same form.
    SubmissionId);
id!(/// Names one stack, for its whole life and after.
    StackId);
id!(/// Names one execution on a stack.
    OperationId);
id!(/// Names one approver's decision.
    DecisionId);
id!(/// Names one comment on a request.
    CommentId);
id!(/// Names one time that an administrator broke glass.
    BreakGlassId);
id!(/// Names one installation of Slipway: what it makes in Azure bears it as a tag.
    InstallationId);
id!(/// Names one API token; not the token itself.
    TokenId);
