//! What is published on the web: files at addresses of their own, and Kaggle's API in front of a storage of another host.
//!
//! The API wants HTTP basic authentication and redirects to the storage, which refuses a request that brings a second
//! credential, as the real one does.

use std::{
    collections::BTreeMap,
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
    routing::get,
};
use tokio::{runtime::Builder, sync::oneshot};

/// The name that may read the datasets.
pub const KAGGLE_USERNAME: &str = "reader";
/// Its key.
pub const KAGGLE_KEY: &str = "0123456789abcdef";
/// `reader:0123456789abcdef` as basic authentication has it.
const BASIC: &str = "Basic cmVhZGVyOjAxMjM0NTY3ODlhYmNkZWY=";
/// How often a file called `flaky` is not there yet.
const FAILURES: u32 = 2;

/// Servers of Kaggle's API and of files, in this process.
#[derive(Debug)]
pub struct Published {
    api: SocketAddr,
    state: Arc<Files>,
    /// Ends both when it is dropped.
    _end: oneshot::Sender<()>,
}

#[derive(Debug)]
struct Files {
    storage: SocketAddr,
    /// By `owner/dataset/file`.
    files: Mutex<BTreeMap<String, Vec<u8>>>,
    /// How often a file was asked for.
    asked: Mutex<BTreeMap<String, u32>>,
}

impl Published {
    /// Starts both.
    #[must_use]
    pub fn start() -> Self {
        let (api, storage) = (listen(), listen());
        let address = api.local_addr().unwrap();
        let state = Arc::new(Files {
            storage: storage.local_addr().unwrap(),
            files: Mutex::default(),
            asked: Mutex::default(),
        });
        let (end, ended) = oneshot::channel::<()>();
        let (kaggle, files) = (kaggle(Arc::clone(&state)), files(Arc::clone(&state)));
        // a thread of its own: a test may have a runtime, or none
        thread::spawn(move || {
            let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
            runtime.spawn(serve(api, kaggle));
            runtime.spawn(serve(storage, files));
            let _ = runtime.block_on(ended);
        });
        Self { api: address, state, _end: end }
    }

    /// The base address of the API.
    #[must_use]
    pub fn kaggle(&self) -> String {
        format!("http://{}", self.api)
    }

    /// The address of a file without the API.
    #[must_use]
    pub fn url(&self, file: &str) -> String {
        format!("http://{}/{file}", self.state.storage)
    }

    /// Publishes a file under `owner/dataset/file`.
    pub fn put(&self, file: &str, bytes: impl Into<Vec<u8>>) {
        lock(&self.state.files).insert(file.to_owned(), bytes.into());
    }

    /// How often the storage was asked for a file.
    #[must_use]
    pub fn asked(&self, file: &str) -> u32 {
        lock(&self.state.asked).get(file).copied().unwrap_or(0)
    }
}

fn listen() -> TcpListener {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    listener
}

async fn serve(listener: TcpListener, router: Router) {
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    axum::serve(listener, router).await.unwrap();
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn kaggle(state: Arc<Files>) -> Router {
    Router::new().route("/api/v1/datasets/download/{owner}/{dataset}/{file}", get(download)).with_state(state)
}

fn files(state: Arc<Files>) -> Router {
    Router::new().route("/{*file}", get(file)).with_state(state)
}

/// A refusal in Kaggle's words.
fn refusal(status: StatusCode, message: &str) -> Response {
    let body = format!(r#"{{"code":{},"message":"{message}"}}"#, status.as_u16());
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

async fn download(
    State(state): State<Arc<Files>>,
    Path((owner, dataset, file)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Response {
    if headers.get(header::AUTHORIZATION).is_none_or(|value| value != BASIC) {
        return refusal(StatusCode::UNAUTHORIZED, "Unauthenticated");
    }
    if owner == "private" {
        return refusal(StatusCode::FORBIDDEN, "Permission 'datasets.get' was denied");
    }
    let path = format!("{owner}/{dataset}/{file}");
    if !lock(&state.files).contains_key(&path) {
        return refusal(StatusCode::NOT_FOUND, "Not found");
    }
    let segments: Vec<String> = path.split('/').map(|segment| segment.replace(' ', "%20")).collect();
    let storage = format!("http://localhost:{}/{}?signature=secret", state.storage.port(), segments.join("/"));
    Redirect::to(&storage).into_response()
}

async fn file(State(state): State<Arc<Files>>, Path(path): Path<String>, headers: HeaderMap) -> Response {
    let asked = *lock(&state.asked).entry(path.clone()).and_modify(|asked| *asked += 1).or_insert(1);
    if headers.contains_key(header::AUTHORIZATION) {
        return (StatusCode::BAD_REQUEST, "Only one auth mechanism allowed").into_response();
    }
    match path.rsplit('/').next().unwrap_or_default() {
        "flaky" if asked <= FAILURES => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        "broken" => (StatusCode::BAD_GATEWAY, "no upstream").into_response(),
        "secret" => (StatusCode::FORBIDDEN, "AccessDenied").into_response(),
        "login" => Html("<html>Please log in</html>").into_response(),
        _ => lock(&state.files).get(&path).cloned().map_or(StatusCode::NOT_FOUND.into_response(), Vec::into_response),
    }
}
