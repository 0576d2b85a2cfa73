//! azure-sim
