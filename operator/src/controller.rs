//! What the three controllers have in common: which objects to look at when, pauses after failures, figures.
//!
//! Built on kube's `applier`, so that the watches can be shared. What a reconcile does is the controller's own.

use std::{
    collections::HashMap,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use futures::{
    StreamExt as _, TryFutureExt as _,
    future::{BoxFuture, Shared, ready},
    stream::{self, Stream},
};
use kube::{
    core::object::HasStatus,
    runtime::{
        controller::{Action, Config, applier},
        reflector::ObjectRef,
    },
};
use serde::Serialize;
use tokio::sync::broadcast::{Receiver, error::RecvError};

use crate::{
    Context, Error,
    apply::{self, Object, Written},
    error::{Class, backoff, jittered},
    events::{self, Notice},
    stores::{Change, Stores, Watched},
};

/// Ends when the process is to end.
pub type Shutdown = Shared<BoxFuture<'static, ()>>;

/// Reconciles of one kind at a time.
const CONCURRENCY: u16 = 8;
/// Changes of one object within this time are looked at together.
const DEBOUNCE: Duration = Duration::from_millis(50);

/// Which objects a change concerns.
pub type Concerned<K> = fn(&Change, &Stores) -> Vec<ObjectRef<K>>;

/// Reconciles every object of a kind, at the start and whenever a change concerns it, until shutdown; what is being done
/// then is finished. A reconcile returns after how long it wants to look again.
pub async fn run<K, F>(
    context: Arc<Context>,
    shutdown: Shutdown,
    concerned: Concerned<K>,
    reconcile: fn(Arc<K>, Arc<Context>) -> F,
) where
    K: Watched,
    F: Future<Output = Result<Duration, Error>> + Send + 'static,
{
    let changes = context.stores.changes(); // before the first look, so that none is missed
    tokio::select! {
        () = context.stores.ready() => {}
        () = shutdown.clone() => return,
    }
    let queue =
        requests(context.clone(), changes, concerned).map(Ok::<_, std::convert::Infallible>).take_until(shutdown);
    let failures = Arc::new(Failures::default());
    let policy_failures = Arc::clone(&failures);
    let store = K::store(&context.stores).clone();
    let config = Config::default().concurrency(CONCURRENCY).debounce(DEBOUNCE);
    let work = move |object: Arc<K>, context: Arc<Context>| {
        let key = ObjectRef::from_obj(object.as_ref());
        let failures = Arc::clone(&failures);
        let timed = timed::<K, _>(reconcile(object, Arc::clone(&context)), context);
        Box::pin(timed.map_ok(move |pause| {
            failures.forget(&key);
            Action::requeue(jittered(pause))
        }))
    };
    let policy = move |object: Arc<K>, error: &Error, _: Arc<Context>| {
        let pause = policy_failures.after(ObjectRef::from_obj(object.as_ref()));
        tracing::warn!(kind = ?K::KIND, object = %ObjectRef::from_obj(object.as_ref()), %error, ?pause, "reconcile failed");
        Action::requeue(pause)
    };
    applier(work, policy, context, store, queue, config).for_each(|_| ready(())).await;
}

/// Writes an error that a person must help with into the object's status; an event comes with the first word of it.
///
/// # Errors
/// That very error, or what kept it from being written.
pub async fn told<K>(
    context: &Context,
    object: &K,
    result: Result<Duration, Error>,
    stalled: impl FnOnce(&Error) -> K::Status,
) -> Result<Duration, Error>
where
    K: Watched + Object + HasStatus,
    K::Status: Serialize,
{
    let error = result.as_ref().err().filter(|error| error.class() != Class::Transient);
    let Some(error) = error else { return result };
    if apply::patch_status(&context.client, object, &stalled(error)).await? == Written::Changed {
        events::publish(context, object, vec![Notice::warning(error.category(), error.to_string())]).await;
    }
    result
}

async fn timed<K: Watched, T>(work: impl Future<Output = Result<T, Error>>, context: Arc<Context>) -> Result<T, Error> {
    let begun = Instant::now();
    let result = work.await;
    context.metrics.reconciled(K::KIND, begun.elapsed(), result.as_ref().err().map(Error::category));
    result
}

/// All objects first, then those that a change concerns.
fn requests<K: Watched>(
    context: Arc<Context>,
    changes: Receiver<Change>,
    concerned: Concerned<K>,
) -> impl Stream<Item = ObjectRef<K>> {
    let first = stream::iter(all(&context.stores));
    let later = stream::unfold((context, changes), move |(context, mut changes)| async move {
        let objects = match changes.recv().await {
            Ok(change) => concerned(&change, &context.stores),
            Err(RecvError::Lagged(_)) => all(&context.stores),
            Err(RecvError::Closed) => return None,
        };
        Some((stream::iter(objects), (context, changes)))
    });
    first.chain(later.flatten())
}

fn all<K: Watched>(stores: &Stores) -> Vec<ObjectRef<K>> {
    K::store(stores).state().iter().map(|object| ObjectRef::from_obj(object.as_ref())).collect()
}

/// Failures in a row, by object.
struct Failures<K: Watched>(Mutex<HashMap<ObjectRef<K>, u32>>);

impl<K: Watched> Default for Failures<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Watched> Failures<K> {
    /// The pause after one more failure.
    fn after(&self, key: ObjectRef<K>) -> Duration {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(key).or_default();
        *count = count.saturating_add(1);
        backoff(*count)
    }

    fn forget(&self, key: &ObjectRef<K>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}
