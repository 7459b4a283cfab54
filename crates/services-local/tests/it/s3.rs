//! S3: what only this provider promises.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
};

use hmac::{Hmac, Mac as _};
use reqwest::Client;
use rusty_s3::{Bucket, S3Action as _, UrlStyle};
use sha2::{Digest as _, Sha256};
use windlass_domain::{Clock as _, SystemClock};
use windlass_services::{BackingServices as _, Place, Variable};

use crate::site::{FRESH, S3, Site, a_neighbour, a_place, s3, send, value};

async fn provided() -> (Site, Place, Vec<Variable>) {
    let (site, place) = (Site::new().await, a_place());
    let at = site.services().provide(place, S3).await.unwrap();
    (site, place, at)
}

async fn put(at: &[Variable], key: &str, text: &str) -> Result<String, String> {
    let (bucket, credentials) = s3(at);
    let url = bucket.put_object(Some(&credentials), key).sign(FRESH);
    send(Client::new().put(url).body(text.to_owned())).await
}

async fn get(at: &[Variable], key: &str) -> Result<String, String> {
    let (bucket, credentials) = s3(at);
    send(Client::new().get(bucket.get_object(Some(&credentials), key).sign(FRESH))).await
}

/// Copies `source`, a bucket and a key, to the key `copy`.
async fn copy(at: &[Variable], source: &str) -> Result<String, String> {
    let (bucket, credentials) = s3(at);
    let mut action = bucket.put_object(Some(&credentials), "copy");
    action.headers_mut().insert("x-amz-copy-source", source.to_owned());
    let url = action.sign(FRESH);
    send(Client::new().put(url).header("x-amz-copy-source", source)).await
}

/// Gets a path as it is, signed in the request's head as most clients do it. The signature is of
/// the path as it reads once it is decoded.
fn get_path(at: &[Variable], sent: &str, decoded: &str) -> String {
    let time = SystemClock.now().format("%Y%m%dT%H%M%SZ").to_string();
    let digest = "UNSIGNED-PAYLOAD";
    let host = value(at, "S3_ENDPOINT").strip_prefix("http://").unwrap();
    let request = format!(
        "GET\n{decoded}\n\nhost:{host}\nx-amz-content-sha256:{digest}\nx-amz-date:{time}\n\n\
         host;x-amz-content-sha256;x-amz-date\n{digest}"
    );
    let date = &time[..8];
    let scope = format!("{date}/us-east-1/s3/aws4_request");
    let text =
        format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hex(&Sha256::digest(request.as_bytes())));
    let secret = format!("AWS4{}", value(at, "AWS_SECRET_ACCESS_KEY")).into_bytes();
    let key = [date, "us-east-1", "s3", "aws4_request", &text].iter().fold(secret, |key, part| {
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        mac.update(part.as_bytes());
        mac.finalize().into_bytes().to_vec()
    });
    let head = format!(
        "GET {sent} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nX-Amz-Date: {time}\r\n\
         X-Amz-Content-Sha256: {digest}\r\nAuthorization: AWS4-HMAC-SHA256 \
         Credential={}/{scope}, SignedHeaders=host;x-amz-content-sha256;x-amz-date, \
         Signature={}\r\n\r\n",
        value(at, "AWS_ACCESS_KEY_ID"),
        hex(&key)
    );
    let mut stream = TcpStream::connect(host).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_lists_its_own_bucket_alone() {
    let (site, place, at) = provided().await;
    let next = site.services().provide(a_neighbour(place), S3).await.unwrap();
    let list = get_path(&at, "/", "/");
    assert!(list.contains(value(&at, "S3_BUCKET")), "{list}");
    assert!(!list.contains(value(&next, "S3_BUCKET")), "{list}");
}

#[tokio::test]
async fn objects_are_listed_copied_and_deleted() {
    let (_site, _, at) = provided().await;
    put(&at, "one/a", "text").await.unwrap();
    copy(&at, &format!("{}/one/a", value(&at, "S3_BUCKET"))).await.unwrap();
    assert_eq!(get(&at, "copy").await.as_deref(), Ok("text"));
    let (bucket, credentials) = s3(&at);
    let list = bucket.list_objects_v2(Some(&credentials)).sign(FRESH);
    let list = send(Client::new().get(list)).await.unwrap();
    assert!(list.contains("<Key>one/a</Key>") && list.contains("<Key>copy</Key>"), "{list}");
    let delete = bucket.delete_object(Some(&credentials), "copy").sign(FRESH);
    send(Client::new().delete(delete)).await.unwrap();
    assert!(get(&at, "copy").await.is_err());
}

#[tokio::test]
async fn nothing_is_copied_from_another_bucket() {
    let (site, place, at) = provided().await;
    let neighbour = a_neighbour(place);
    let next = site.services().provide(neighbour, S3).await.unwrap();
    put(&next, "secret", "theirs").await.unwrap();
    put(&at, "own", "mine").await.unwrap();
    let theirs = value(&next, "S3_BUCKET");
    let mine = value(&at, "S3_BUCKET");
    for source in [
        format!("{theirs}/secret"),
        format!("/{theirs}/secret"),
        format!("{mine}/../{theirs}/secret"),
        format!("{mine}/../../../{}/s3/{theirs}/secret", neighbour.environment),
    ] {
        let refused = copy(&at, &source).await;
        assert!(refused.is_err(), "{source}: {refused:?}");
    }
    assert!(get(&at, "copy").await.is_err());
}

#[tokio::test]
async fn a_key_opens_no_other_bucket() {
    let (site, place, at) = provided().await;
    let next = site.services().provide(a_neighbour(place), S3).await.unwrap();
    put(&next, "secret", "theirs").await.unwrap();
    let (_, mine) = s3(&at);
    let (theirs, _) = s3(&next);
    let client = Client::new();
    for refused in [
        client.get(theirs.get_object(Some(&mine), "secret").sign(FRESH)),
        client.head(theirs.head_object(Some(&mine), "secret").sign(FRESH)),
        client.put(theirs.put_object(Some(&mine), "secret").sign(FRESH)),
        client.delete(theirs.delete_object(Some(&mine), "secret").sign(FRESH)),
        client.get(theirs.list_objects_v2(Some(&mine)).sign(FRESH)),
        client.head(theirs.head_bucket(Some(&mine)).sign(FRESH)),
        client.post(theirs.create_multipart_upload(Some(&mine), "secret").sign(FRESH)),
        // Without any key.
        client.get(theirs.object_url("secret")),
        client.get(value(&next, "S3_ENDPOINT")),
    ] {
        let answer = send(refused).await.unwrap_err();
        assert!(answer.starts_with("403"), "{answer}");
    }
    assert_eq!(get(&next, "secret").await.as_deref(), Ok("theirs"));
}

#[tokio::test]
async fn buckets_are_neither_made_nor_deleted_by_apps() {
    let (site, place, at) = provided().await;
    put(&at, "name", "text").await.unwrap();
    let (bucket, credentials) = s3(&at);
    let delete = bucket.delete_bucket(&credentials).sign(FRESH);
    assert!(send(Client::new().delete(delete)).await.unwrap_err().contains("AccessDenied"));
    let endpoint = value(&at, "S3_ENDPOINT").parse().unwrap();
    let other = Bucket::new(endpoint, UrlStyle::Path, "other", "us-east-1").unwrap();
    let create = other.create_bucket(&credentials).sign(FRESH);
    assert!(send(Client::new().put(create)).await.unwrap_err().starts_with("403"));
    // One that makes sure of its bucket is told that it is there.
    let create = bucket.create_bucket(&credentials).sign(FRESH);
    let there = send(Client::new().put(create)).await.unwrap_err();
    assert!(there.contains("BucketAlready"), "{there}");
    assert_eq!(get(&at, "name").await.as_deref(), Ok("text"));
    let folder = site.data().join(place.project.to_string()).join(place.environment.to_string());
    let buckets = fs::read_dir(folder.join("s3")).unwrap().flatten();
    assert_eq!(buckets.filter(|entry| entry.path().is_dir()).count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_do_not_lead_out_of_the_bucket() {
    let (site, place, at) = provided().await;
    let neighbour = a_neighbour(place);
    let next = site.services().provide(neighbour, S3).await.unwrap();
    put(&next, "secret", "theirs").await.unwrap();
    put(&at, "a/b", "mine").await.unwrap();
    let (mine, theirs) = (value(&at, "S3_BUCKET"), value(&next, "S3_BUCKET"));
    let fine = get_path(&at, &format!("/{mine}/a%2Fb"), &format!("/{mine}/a/b"));
    assert!(fine.ends_with("mine"), "the signature is right: {fine}");
    let far = format!("../../../{}/s3/{theirs}/secret", neighbour.environment);
    for key in ["../../state.json", "a/../../../../state.json", "/etc/passwd", "..", &far] {
        let sent = format!("/{mine}/{}", key.replace('/', "%2F").replace('.', "%2E"));
        let answer = get_path(&at, &sent, &format!("/{mine}/{key}"));
        assert!(answer.starts_with("HTTP/1.1 400"), "{key}: {answer}");
        assert!(!answer.contains("SignatureDoesNotMatch"), "{key}: {answer}");
    }
    // Another name of the other bucket.
    for sent in [format!("/{mine}/../{theirs}/secret"), format!("//{theirs}/secret")] {
        let decoded = sent.clone();
        assert!(!get_path(&at, &sent, &decoded).starts_with("HTTP/1.1 2"), "{sent}");
    }
}

#[tokio::test]
async fn buckets_are_served_again_after_a_restart() {
    let (mut site, place, at) = provided().await;
    let resting = a_neighbour(place);
    let closed = site.services().provide(resting, S3).await.unwrap();
    put(&at, "name", "text").await.unwrap();
    site.services().rest(resting).await.unwrap();
    site.restart().await;
    assert_eq!(get(&at, "name").await.as_deref(), Ok("text"));
    assert!(get(&closed, "name").await.unwrap_err().starts_with("403"));
    let again = site.services().provide(place, S3).await.unwrap();
    assert_eq!(value(&again, "S3_ENDPOINT"), value(&at, "S3_ENDPOINT"));
}

#[tokio::test]
async fn large_objects_are_uploaded_in_parts() {
    let (_site, _, at) = provided().await;
    let (bucket, credentials) = s3(&at);
    let start = bucket.create_multipart_upload(Some(&credentials), "big").sign(FRESH);
    let begun = send(Client::new().post(start)).await.unwrap();
    let upload = begun.split_once("<UploadId>").unwrap().1.split_once("</UploadId>").unwrap().0;
    let mut tags = Vec::new();
    for (number, text) in [(1, "a".repeat(5 << 20)), (2, "b".repeat(100))] {
        let part = bucket.upload_part(Some(&credentials), "big", number, upload).sign(FRESH);
        let response = Client::new().put(part).body(text).send().await.unwrap();
        tags.push(response.headers()["etag"].to_str().unwrap().to_owned());
    }
    let tags = tags.iter().map(String::as_str);
    let action = bucket.complete_multipart_upload(Some(&credentials), "big", upload, tags);
    let url = action.sign(FRESH);
    send(Client::new().post(url).body(action.body())).await.unwrap();
    assert_eq!(get(&at, "big").await.unwrap().len(), (5 << 20) + 100);
}
