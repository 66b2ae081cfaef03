//! A relay in front of MLflow that loses the answer of one call and is dead from then on, or wants a credential.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// Ends when it is dropped.
pub struct Relay {
    port: u16,
    task: JoinHandle<()>,
}

/// What happens to calls.
struct Rules {
    upstream: String,
    lost: Option<usize>,
    authorization: Option<&'static str>,
    calls: AtomicUsize,
}

impl Relay {
    /// In front of a server: the call of number `lost` reaches it, its answer reaches nobody.
    pub async fn start(upstream: &str, lost: Option<usize>, authorization: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let upstream = upstream.trim_start_matches("http://").to_owned();
        let rules = Arc::new(Rules { upstream, lost, authorization, calls: AtomicUsize::new(0) });
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(relay(client, Arc::clone(&rules)));
            }
        });
        Self { port, task }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One call on a connection, which is closed after it.
async fn relay(mut client: TcpStream, rules: Arc<Rules>) {
    let Some((head, body)) = request(&mut client).await else { return };
    let number = rules.calls.fetch_add(1, Ordering::Relaxed) + 1;
    if rules.lost.is_some_and(|lost| number > lost) {
        return;
    }
    let known = rules.authorization.is_none_or(|wanted| head.contains(&format!("authorization: {wanted}")));
    if !known {
        let refusal = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        return client.write_all(refusal.as_bytes()).await.unwrap();
    }
    let answer = forward(&rules.upstream, &head, &body).await;
    if rules.lost != Some(number) {
        let _ = client.write_all(&answer).await;
    }
}

async fn request(client: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.ok()?);
    }
    let lines = String::from_utf8(head).unwrap();
    let (first, rest) = lines.split_once("\r\n")?;
    let fields: Vec<_> = rest.lines().filter_map(|line| line.split_once(": ")).collect();
    let named =
        |wanted: &str| fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| *value);
    let mut body = vec![0; named("content-length").map_or(0, |length| length.parse().unwrap())];
    client.read_exact(&mut body).await.ok()?;
    let kept = fields.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("connection"));
    let kept: String = kept.map(|(name, value)| format!("{}: {value}\r\n", name.to_lowercase())).collect();
    Some((format!("{first}\r\n{kept}connection: close\r\n\r\n"), body))
}

async fn forward(upstream: &str, head: &str, body: &[u8]) -> Vec<u8> {
    let mut server = TcpStream::connect(upstream).await.unwrap();
    server.write_all(&[head.as_bytes(), body].concat()).await.unwrap();
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).await.unwrap();
    answer
}
