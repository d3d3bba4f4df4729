//! The files of the playground by `Accept-Encoding` (RFC 9110, section 12.5.3).

use std::io::Read;

use flate2::read::GzDecoder;
use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};

use crate::support::{TestApp, exchange};

/// A text and a font: files that are known by name and by a hash.
async fn files(app: &TestApp) -> Vec<String> {
    let page = app.http.get(format!("http://{}/", app.address)).send().await.unwrap();
    let page = page.text().await.unwrap();
    let (_, rest) = page.split_once("src=\"./playground/").unwrap();
    vec![rest.split_once('"').unwrap().0.to_owned(), "licenses.md".to_owned()]
}

async fn ask(
    app: &TestApp,
    method: Method,
    file: &str,
    headers: &[(&str, &str)],
) -> (StatusCode, HeaderMap, Vec<u8>) {
    let url = format!("http://{}/playground/{file}", app.address);
    let mut request = app.http.request(method, url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.unwrap();
    let (status, headers) = (answer.status(), answer.headers().clone());
    (status, headers, answer.bytes().await.unwrap().into())
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_gets_the_coding_that_it_likes_best() {
    let app = TestApp::start().await;
    let file = files(&app).await.remove(0);
    for (accepted, coding) in [
        (None, ""),
        (Some(""), ""),
        // Browsers over HTTPS, and over HTTP.
        (Some("gzip, deflate, br, zstd"), "br"),
        (Some("gzip, deflate"), "gzip"),
        (Some("GZIP"), "gzip"),
        (Some("br;q=0, gzip;q=0.01"), "gzip"),
        (Some("br;q=0.2, gzip;q=0.8"), "gzip"),
        (Some("br;q=0.8, gzip;q=0.8"), "br"),
        (Some("gzip;q=0.5, identity"), ""),
        (Some("identity;q=0.5, gzip"), "gzip"),
        (Some("identity;q=0, gzip"), "gzip"),
        (Some("*"), "br"),
        (Some("*;q=0.5, gzip;q=0.9"), "gzip"),
        (Some("*;q=0, gzip"), "gzip"),
        (Some("br;q=0, *"), "gzip"),
        (Some("*, identity;q=0"), "br"),
        (Some("zstd, deflate"), ""),
        (Some("br;q=0"), ""),
        // Not well-formed.
        (Some("br;q=2"), ""),
    ] {
        let asked: Vec<_> = accepted.map(|value| ("accept-encoding", value)).into_iter().collect();
        let (status, headers, body) = ask(&app, Method::GET, &file, &asked).await;
        assert_eq!(
            (status.as_u16(), text(&headers, "content-encoding")),
            (200, coding),
            "{asked:?}"
        );
        assert_eq!(text(&headers, "vary"), "accept-encoding");
        assert_eq!(text(&headers, "content-type"), "text/javascript; charset=utf-8");
        assert_eq!(text(&headers, "content-length"), body.len().to_string());
    }
    for refuses_all in ["identity;q=0", "*;q=0", "zstd, identity;q=0", "br;q=0, *;q=0"] {
        let asked = [("accept-encoding", refuses_all)];
        let (status, headers, body) = ask(&app, Method::GET, &file, &asked).await;
        assert_eq!(
            (status.as_u16(), text(&headers, "vary")),
            (406, "accept-encoding"),
            "{asked:?}"
        );
        let said = String::from_utf8(body).unwrap();
        assert!(said.contains("\"coding_not_acceptable\""), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_coding_is_the_same_file_under_a_tag_of_its_own() {
    let app = TestApp::start().await;
    for file in files(&app).await {
        let mut tags = Vec::new();
        let mut bodies = Vec::new();
        for coding in ["br", "gzip", "identity"] {
            let asked = ("accept-encoding", coding);
            let (_, headers, body) = ask(&app, Method::GET, &file, &[asked]).await;
            let (status, head, nothing) = ask(&app, Method::HEAD, &file, &[asked]).await;
            assert_eq!((status.as_u16(), nothing.len()), (200, 0));
            for name in [
                "cache-control",
                "content-encoding",
                "content-length",
                "content-type",
                "etag",
                "vary",
                "x-content-type-options",
                "content-security-policy",
            ] {
                assert_eq!(text(&head, name), text(&headers, name), "{file} as {coding}: {name}");
            }
            assert_eq!(text(&headers, "x-content-type-options"), "nosniff");
            tags.push((coding, text(&headers, "etag").to_owned()));
            bodies.push(body);
        }
        let committed = format!("{}/web/dist/playground/{file}.br", env!("CARGO_MANIFEST_DIR"));
        assert!(
            bodies[0] == std::fs::read(committed).unwrap(),
            "{file}: Brotli as it is committed"
        );
        let mut unpacked = Vec::new();
        GzDecoder::new(&*bodies[1]).read_to_end(&mut unpacked).unwrap();
        assert!(unpacked == bodies[2], "{file}: gzip and identity are the same");
        for (coding, _) in &tags {
            for (other, tag) in &tags {
                let asked = [("accept-encoding", *coding), ("if-none-match", tag)];
                let (status, headers, _) = ask(&app, Method::GET, &file, &asked).await;
                let expected = if coding == other { 304 } else { 200 };
                assert_eq!(status.as_u16(), expected, "{file} as {coding}, known as {other}");
                assert_eq!(text(&headers, "vary"), "accept-encoding");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_compressed_files_have_no_names_of_their_own() {
    let app = TestApp::start().await;
    for file in files(&app).await {
        for ending in [".br", ".gz"] {
            let path = format!("/playground/{file}{ending}");
            let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
            let answer = exchange(app.address, &[request.as_bytes()]);
            assert!(answer.starts_with("HTTP/1.1 404 "), "{path}: {answer}");
        }
    }
}
