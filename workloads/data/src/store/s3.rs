//! The S3 side of the store: one client, made at first use.

mod client;
mod fault;

use std::sync::Arc;

use aws_sdk_s3::{Client, operation::get_object::GetObjectOutput, primitives::ByteStream};
use tokio::sync::OnceCell;

use self::fault::{NO_SUCH_KEY, fault};
use crate::store::{Entry, Location, Settings, StoreError, StoreErrorKind};

/// Buckets under one set of credentials.
#[derive(Clone)]
pub(super) struct Bucketed(Arc<Inner>);

struct Inner {
    settings: Settings,
    client: OnceCell<Client>,
}

impl Bucketed {
    pub(super) fn new(settings: Settings) -> Self {
        Self(Arc::new(Inner { settings, client: OnceCell::new() }))
    }

    /// Made late, since the default chain may have to ask the instance's metadata service.
    async fn client(&self) -> &Client {
        let Inner { settings, client } = &*self.0;
        client.get_or_init(|| client::connect(settings)).await
    }

    pub(super) async fn find(&self, bucket: &str, key: &str, limit: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let place = place(bucket, key);
        let answer = self.client().await.get_object().bucket(bucket).key(key).send().await;
        match answer {
            Ok(object) => collect(object, &place, limit).await.map(Some),
            Err(error) if fault::code(&error) == Some(NO_SUCH_KEY) => Ok(None),
            Err(error) => Err(fault(&place, &error)),
        }
    }

    pub(super) async fn write(&self, bucket: &str, key: &str, bytes: Vec<u8>) -> Result<(), StoreError> {
        let request = self.client().await.put_object().bucket(bucket).key(key).body(ByteStream::from(bytes));
        request.send().await.map(drop).map_err(|error| fault(&place(bucket, key), &error))
    }

    /// Asks for the list that begins with the key: unlike a HEAD, its answer tells a missing bucket from a missing object.
    pub(super) async fn exists(&self, bucket: &str, key: &str) -> Result<bool, StoreError> {
        let request = self.client().await.list_objects_v2().bucket(bucket).prefix(key).max_keys(1);
        let page = request.send().await.map_err(|error| fault(&place(bucket, key), &error))?;
        Ok(page.contents().iter().any(|object| object.key() == Some(key)))
    }

    pub(super) async fn list(&self, bucket: &str, prefix: &str) -> Result<Vec<Entry>, StoreError> {
        let request = self.client().await.list_objects_v2().bucket(bucket).prefix(prefix);
        let mut pages = request.into_paginator().send();
        let mut entries = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| fault(&place(bucket, prefix), &error))?;
            let objects = page.contents().iter().filter_map(|object| {
                let key = object.key().filter(|key| belongs(key, prefix))?;
                let location = Location::S3 { bucket: bucket.to_owned(), key: key.to_owned() };
                Some(Entry { location, bytes: u64::try_from(object.size().unwrap_or(0)).unwrap_or(0) })
            });
            entries.extend(objects);
        }
        Ok(entries)
    }
}

fn place(bucket: &str, key: &str) -> Location {
    Location::S3 { bucket: bucket.to_owned(), key: key.to_owned() }
}

/// Whether a listed key is the object or in the folder that was asked for: not one that merely begins alike, nor the
/// empty object by which some tools mark a folder.
fn belongs(key: &str, prefix: &str) -> bool {
    !key.ends_with('/') && (prefix.is_empty() || prefix.ends_with('/') || key == prefix)
}

async fn collect(object: GetObjectOutput, place: &Location, limit: u64) -> Result<Vec<u8>, StoreError> {
    let declared = object.content_length().and_then(|length| u64::try_from(length).ok()).unwrap_or(0);
    if declared > limit {
        return Err(StoreError::too_large(place, limit));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(declared).unwrap_or(0));
    let mut body = object.body;
    while let Some(chunk) = body.next().await {
        let cut =
            |error| StoreError::new(StoreErrorKind::Unreachable, place, format_args!("the answer broke off: {error}"));
        bytes.extend_from_slice(&chunk.map_err(cut)?);
        if bytes.len() as u64 > limit {
            return Err(StoreError::too_large(place, limit));
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::belongs;

    #[test]
    fn lists_a_folder_or_the_object_itself() {
        assert!(belongs("loans/2009/a.csv", "loans/"));
        assert!(belongs("loans.csv", "loans.csv"));
        assert!(belongs("loans.csv", ""));
        assert!(!belongs("loans.csv.bak", "loans.csv"));
        assert!(!belongs("loans/", "loans/"));
    }
}
