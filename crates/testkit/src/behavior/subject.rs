//! What is examined: how a suite makes the back end, as often as it likes, and what goes with it.

use std::sync::Arc;

use qchroot_api::{Options, Plan, Platform};

/// Compares a plan with what it was, by the platform and the name of the verb.
pub(crate) type Compare = fn(Platform, &str, &Plan);

/// A back end of the kind `T` and what a suite gives it.
pub(crate) struct Subject<T: ?Sized> {
    make: Arc<dyn Fn() -> Box<T> + Send + Sync>,
    /// Options of the containers that it is examined with, beside those that every one of its kind gets.
    pub(crate) options: Options,
    /// For back ends whose plans are kept in the tree.
    pub(crate) kept: Option<Compare>,
}

impl<T: ?Sized> Subject<T> {
    pub(crate) fn new(make: impl Fn() -> Box<T> + Send + Sync + 'static) -> Self {
        Self { make: Arc::new(make), options: Options::new(), kept: None }
    }

    /// The same, with its plans compared with those that are kept.
    #[cfg(feature = "harness")]
    pub(crate) fn kept_by(self, compare: Compare) -> Self {
        Self { kept: Some(compare), ..self }
    }

    /// The same with options for its containers.
    pub(crate) fn with(self, options: Options) -> Self {
        Self { options, ..self }
    }

    pub(crate) fn make(&self) -> Box<T> {
        (self.make)()
    }

    pub(crate) fn compare(&self, platform: Platform, verb: &str, plan: &Plan) {
        if let Some(compare) = self.kept {
            compare(platform, verb, plan);
        }
    }
}

impl<T: ?Sized> Clone for Subject<T> {
    fn clone(&self) -> Self {
        Self { make: Arc::clone(&self.make), options: self.options.clone(), kept: self.kept }
    }
}
