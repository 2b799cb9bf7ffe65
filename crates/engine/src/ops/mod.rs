//! The operations: one file a command or a family of commands. Each turns what the user asked into a plan and
//! hands it to the transaction.

pub(crate) mod adopt;
pub(crate) mod check;
pub(crate) mod clone;
pub(crate) mod config;
pub(crate) mod config_service;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod install;
pub(crate) mod logs;
pub(crate) mod moving;
pub(crate) mod plugins;
pub(crate) mod ps;
pub(crate) mod releases;
pub(crate) mod rename;
pub(crate) mod resize;
pub(crate) mod restore;
pub(crate) mod rollback;
pub(crate) mod session;
pub(crate) mod several;
pub(crate) mod snapshot;
pub(crate) mod start;
pub(crate) mod upgrade;
