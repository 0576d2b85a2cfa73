//! The component set: small functions from values to views. What a thing means (its tone, its words) is decided in `words`; where it stands, in `pages`.

pub(crate) mod actions;
pub(crate) mod button;
pub(crate) mod card;
pub(crate) mod chip;
pub(crate) mod cost;
pub(crate) mod escaped;
pub(crate) mod fault;
pub(crate) mod field;
pub(crate) mod frame;
pub(crate) mod icon;
pub(crate) mod load;
pub(crate) mod page;
pub(crate) mod quota;
pub(crate) mod steps;
pub(crate) mod tabs;
pub(crate) mod time;
pub(crate) mod verdict;
