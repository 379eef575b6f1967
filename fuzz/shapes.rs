//! The inputs with which a fuzzer begins: shapes of tokens, key sets, settings and claims. They use keys that exist only
//! during a run. A target uses one kind of shapes.

use std::path::Path;

use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm,
};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Writes the shapes to the directory of the fuzzer, PG_SESSION_JWT_FUZZ_SHAPES, if that is set.
pub fn write(shapes: &[Vec<u8>]) {
    let Some(directory) = std::env::var_os("PG_SESSION_JWT_FUZZ_SHAPES") else {
        return;
    };
    for (index, shape) in shapes.iter().enumerate() {
        std::fs::write(Path::new(&directory).join(format!("shape{index}")), shape).unwrap();
    }
}

fn part(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn bytes(shapes: impl IntoIterator<Item = String>) -> Vec<Vec<u8>> {
    shapes.into_iter().map(String::into_bytes).collect()
}

/// Compact JWS with various headers, encodings, numbers of parts and lengths.
pub fn tokens() -> Vec<Vec<u8>> {
    let mut headers: Vec<String> = [
        "EdDSA", "ES256", "ES384", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "HS256", "none", "ES512", "",
    ]
    .iter()
    .map(|alg| format!(r#"{{"alg":"{alg}","kid":"r"}}"#))
    .collect();
    headers.extend(
        [
            r#"{"alg":"EdDSA"}"#,
            r#"{"alg":"EdDSA","kid":"o","typ":"JWT"}"#,
            r#"{"alg":"ES256","kid":"e"}"#,
            r#"{"alg":"EdDSA","kid":"unknown"}"#,
            r#"{"alg":"EdDSA","kid":7}"#,
            r#"{"alg":"EdDSA","kid":null}"#,
            r#"{"alg":"EdDSA","alg":"none"}"#,
            r#"{"alg":"EdDSA","crit":["exp"]}"#,
            r#"{"alg":"EdDSA","b64":false,"crit":["b64"]}"#,
            r#"{"alg":"EdDSA","jku":"https://example.com","jwk":{},"x5c":["AA=="]}"#,
            r#"{"alg":["EdDSA"]}"#,
            r#"{"\u0061lg":"EdDSA"}"#,
            "{}",
            "[]",
            "",
            "null",
            "\u{feff}{}",
        ]
        .map(str::to_owned),
    );
    headers.push(nested("[", "]", 70));
    let payload = part(r#"{"iss":"a","sub":"alice","exp":1800003600,"jti":8}"#);
    let mut shapes = Vec::new();
    for header in &headers {
        for signature in [64, 0] {
            shapes.push(format!("{}.{payload}.{}", part(header), part(vec![0x5A; signature])));
        }
    }
    for signature in [1, 63, 65, 96, 256, 512, 1024] {
        shapes.push(format!("{}.{payload}.{}", part(&headers[0]), part(vec![1; signature])));
    }
    for text in [
        "", ".", "..", "...", "a.b", "a.b.c", "a.b.c.d", "e30.e30.", ".e30.AA", "e30..AA",
    ] {
        shapes.push(text.to_owned());
    }
    for (header, end) in [
        ("e30=", ""),
        ("e30", "=="),
        (" e30", ""),
        ("e30\n", ""),
        ("e31", ""),
        ("+/+/", ""),
        ("e30", "\0"),
    ] {
        shapes.push(format!("{header}.{payload}.AAAA{end}"));
    }
    let long = part(vec![b' '; 48 * 1024]);
    shapes.push(format!("e30.{long}.AA"));
    let mut shapes = bytes(shapes);
    shapes.push(b"\xFF\xFE.\xC3(.\x80".to_vec());
    shapes
}

/// Claims sets.
pub fn payloads() -> Vec<Vec<u8>> {
    let dates = [
        "1800000000",
        "1800000000.5",
        "18e8",
        "1E400",
        "-1",
        "0",
        "\"1\"",
        "null",
        "253402300799",
        "253402300800",
        "[]",
        "9223372036854775808",
    ];
    let mut shapes: Vec<String> = dates
        .iter()
        .flat_map(|date| ["exp", "nbf", "iat", "jti"].map(|claim| format!(r#"{{"{claim}":{date},"sub":"a"}}"#)))
        .collect();
    shapes.extend(
        [
            r#"{"iss":"a","sub":"6f4d2f0a-5b7e-4c8e-9d51-0123456789ab","role":"authenticated","email":"a@example.com","o":{"id":"6f4d2f0a-5b7e-4c8e-9d51-0123456789ab"}}"#,
            r#"{"sub":7}"#,
            r#"{"sub":"a","sub":"b"}"#,
            r#"{"sub":"a","\u0073ub":"b"}"#,
            r#"{"sub":"\u0000"}"#,
            r#"{"sub":"\ud800"}"#,
            r#"{"sub":"\ud83d\ude00 \\u0000 é ä \u00e4"}"#,
            r#"{"o":[],"role":1,"email":null}"#,
            r#"{"o":{"id":"no UUID"},"aud":["a","b"],"n":12345678901234567890123}"#,
            r#"{"n":1e308,"m":-1e308,"l":1e309,"k":0.1e-400}"#,
            "{}",
            "{} ",
            "[]",
            "",
            "null",
            "{\"a\":1,}",
            "\u{feff}{}",
            "{\"\u{1f600}\":\"\u{10ffff}\"}",
        ]
        .map(str::to_owned),
    );
    shapes.extend([62, 63, 64, 65].map(|depth| format!(r#"{{"a":{}}}"#, nested("[", "]", depth))));
    shapes.push(nested(r#"{"a":"#, "}", 64).replace(":}", ":1}"));
    let mut shapes = bytes(shapes);
    shapes.push(b"{\"sub\":\"\xFF\"}".to_vec());
    shapes
}

/// Valid and invalid JWKs. A target also puts each into a set.
pub fn jwks() -> Vec<Vec<u8>> {
    let mut shapes = Vec::new();
    for key in public_keys() {
        for more in [
            "",
            r#","kid":"a""#,
            r#","kid":7"#,
            r#","use":"sig""#,
            r#","use":"enc""#,
            r#","key_ops":["verify"]"#,
            r#","key_ops":["sign"]"#,
            r#","alg":"EdDSA""#,
            r#","alg":"RS256""#,
            r#","alg":"ES256""#,
            r#","alg":"none""#,
            r#","d":"AAAA""#,
            r#","x5c":["AA=="],"n":"","oth":[]"#,
            r#","kty":"OKP""#,
        ] {
            shapes.push(format!("{{{key}{more}}}"));
        }
    }
    for key in [
        r#""kty":"OKP","crv":"X25519","x":"AA""#,
        r#""kty":"OKP","crv":"Ed25519""#,
        r#""kty":"EC","crv":"secp256k1","x":"AA","y":"AA""#,
        r#""kty":"RSA","n":"AA","e":"AQAB""#,
        r#""kty":"RSA","n":"AA","e":"AA""#,
        r#""kty":7"#,
        r#""kty":"other""#,
    ] {
        shapes.push(format!("{{{key}}}"));
    }
    // Points of small order, of a wrong length, and outside of the curve.
    for x in [vec![0; 32], vec![0xFF; 32], vec![1; 31], vec![1; 33], Vec::new()] {
        shapes.push(format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{}"}}"#, part(&x)));
        shapes.push(format!(r#"{{"kty":"EC","crv":"P-256","x":"{0}","y":"{0}"}}"#, part(&x)));
    }
    shapes.extend(["", "{}", "[]", "null", "{}{}", "{},{}"].map(str::to_owned));
    bytes(shapes)
}

/// Values of `pg_session_jwt.providers`.
pub fn providers() -> Vec<Vec<u8>> {
    let keys: Vec<String> = public_keys().iter().map(|key| format!("{{{key}}}")).collect();
    let mut shapes = Vec::new();
    for key in &keys {
        shapes.push(format!(r#"[{{"issuer":"a","jwks":{{"keys":[{key}]}}}}]"#));
    }
    let set = format!(r#""jwks":{{"keys":[{}]}}"#, keys.join(","));
    for more in [
        r#""issuer":"a","audience":"b""#,
        r#""audience":["a","b"],"roles":["authenticated"]"#,
        r#""issuer":"a","roles":"authenticated","user_id_claim":"oid","algorithms":["EdDSA","RS256"]"#,
        r#""issuer":"a","algorithms":"none""#,
        r#""issuer":"","audience":[]"#,
        r#""issuer":"a","audience":[""]"#,
        r#""issuer":7"#,
        r#""issuer":"a","issuer":"b""#,
        r#""issuer":"a","unknown":1"#,
        r#""issuer":"a","jwks_file":"/dev/null""#,
        r#""roles":[]"#,
    ] {
        shapes.push(format!("[{{{more},{set}}}]"));
    }
    for source in [
        r#""jwks_file":"/etc/keys.json""#,
        r#""jwks_file":"""#,
        r#""jwks_url":"https://example.com/jwks.json""#,
        r#""jwks_url":"http://127.0.0.1:8080/jwks""#,
        r#""jwks_url":"http://[::1]/""#,
        r#""jwks_url":"http://example.com/""#,
        r##""jwks_url":"https://user:secret@example.com/#a""##,
        r#""jwks_url":"ftp://example.com""#,
        r#""jwks_url":"https://""#,
        r#""jwks":{"keys":[]}"#,
        r#""jwks":[]"#,
        r#""jwks_url":"https://a/","jwks_file":"b""#,
    ] {
        shapes.push(format!(r#"[{{"issuer":"a",{source}}}]"#));
    }
    for discovery in [
        r#""issuer":"https://a.example/b/""#,
        r#""issuer":"http://127.0.0.1:80","audience":"b""#,
        r#""issuer":"https://a.example","discovery_url":"https://b.example/c?d""#,
        r#""issuer":"https://a.example?b""#,
        r#""audience":"b""#,
    ] {
        shapes.push(format!("[{{{discovery}}}]"));
    }
    let one = format!(r#"{{"issuer":"a",{set}}}"#);
    shapes.push(format!("[{one},{one}]"));
    shapes.push(format!(
        "[{}]",
        vec![r#"{"issuer":"a","jwks_file":"b"}"#; 101].join(",")
    ));
    shapes.extend(["", "[]", "{}", "[{}]", "[[]]", "null"].map(str::to_owned));
    bytes(shapes)
}

/// The members of a key of each kind, including a symmetric one.
fn public_keys() -> Vec<String> {
    let ed25519 = Ed25519KeyPair::generate().unwrap();
    let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let modulus = rsa.public_key().modulus().big_endian_without_leading_zero();
    vec![
        format!(r#""kty":"OKP","crv":"Ed25519","x":"{}""#, part(ed25519.public_key())),
        elliptic_curve("P-256", &ECDSA_P256_SHA256_FIXED_SIGNING),
        elliptic_curve("P-384", &ECDSA_P384_SHA384_FIXED_SIGNING),
        elliptic_curve("P-521", &ECDSA_P521_SHA512_FIXED_SIGNING),
        format!(r#""kty":"RSA","n":"{}","e":"AQAB""#, part(modulus)),
        format!(r#""kty":"oct","k":"{}""#, part([7; 32])),
        format!(r#""kty":"oct","k":"{}""#, part([7; 31])),
    ]
}

fn elliptic_curve(curve: &str, algorithm: &'static EcdsaSigningAlgorithm) -> String {
    let pair = EcdsaKeyPair::generate(algorithm).unwrap();
    let point = &pair.public_key().as_ref()[1..];
    let (x, y) = point.split_at(point.len() / 2);
    format!(r#""kty":"EC","crv":"{curve}","x":"{}","y":"{}""#, part(x), part(y))
}

fn nested(open: &str, close: &str, depth: usize) -> String {
    open.repeat(depth) + &close.repeat(depth)
}

/// Bodies of requests to the gateway.
pub fn bodies() -> Vec<Vec<u8>> {
    let parameters = [
        r#"null,"","a\"b\\c\u00e4\ud83d\ude00",true,-1,1.5e300,18446744073709551615"#,
        r#"[1,null,"a\"",[true,{"a":["b"]}]],{"a":{"b":[null,1]},"a":2}"#,
        r#""\u0000""#,
        r#""\ud800""#,
        "",
    ];
    let mut shapes = Vec::new();
    for list in parameters {
        let statement = format!(r#"{{"query":"select $1","params":[{list}],"arrayMode":true}}"#);
        shapes.push(format!(
            r#"{{"queries":[{statement},{{"query":"","params":null,"other":{{}}}}]}}"#
        ));
        shapes.push(statement);
    }
    shapes.extend(
        [
            r#"{"queries":[]}"#,
            r#"{"query":"a","query":"b"}"#,
            r#"{"query":"a","queries":[]}"#,
            r#"{"\u0071uery":"a","params":[[[[[[]]]]]]}"#,
            "{}",
            "[]",
            "",
        ]
        .map(str::to_owned),
    );
    bytes(shapes)
}

/// Statements that control transactions, others, and connection strings.
pub fn statements() -> Vec<Vec<u8>> {
    [
        "commit",
        "ROLLBACK WORK TO SAVEPOINT a",
        "rollback and chain",
        "/* a /* b */ */ begin",
        "-- a\r;end",
        "prepare transaction U&'a'",
        "prepare transaction (int) as select $1",
        "start transaction",
        "copy t from stdin",
        "listen a",
        "\u{feff}commit",
        "postgresql://a%20b:p%40@db.example:5432/app?sslmode=require",
        "postgres://a@[::1]/%00",
        "host/database",
    ]
    .map(|shape| shape.as_bytes().to_vec())
    .to_vec()
}

/// Values as PostgreSQL writes them.
pub fn values() -> Vec<Vec<u8>> {
    [
        "t",
        "-32768",
        "1e-07",
        "NaN",
        "{\"a\": [1, null, \"\\u0000\"]}",
        "{1,NULL,3}",
        "[0:1][1:2]={{1,2},{3,4}}",
        "{a,\"b,c\",\"NULL\",\"\\\"\\\\\",\"\"}",
        "{(1,1),(0,0);(2,2),(0,0)}",
        "{\"{\\\"a\\\": 1}\"}",
        "{{}}",
    ]
    .map(|shape| shape.as_bytes().to_vec())
    .to_vec()
}

/// Documents of the issuer `https://a.example`.
pub fn documents() -> Vec<Vec<u8>> {
    let algorithms = r#""id_token_signing_alg_values_supported""#;
    let mut shapes = Vec::new();
    for url in [
        "https://a.example/jwks",
        "https://127.0.0.1/",
        "https://[fe80::1]/",
        "https://2130706433/",
        "http://a.example/",
        "file:///etc/passwd",
        "/jwks",
        "",
    ] {
        for announced in [r#"["RS256","HS256","none"]"#, "[]", "7", r#"[["RS256"]]"#] {
            shapes.push(format!(
                r#"{{"issuer":"https://a.example","jwks_uri":"{url}",{algorithms}:{announced}}}"#
            ));
        }
    }
    for text in [
        r#"{"issuer":"https://b.example"}"#,
        r#"{"issuer":"https://a.example","issuer":"https://a.example"}"#,
        r#"{"issuer":"https:\/\/a.example"}"#,
        "[]",
        "",
    ] {
        shapes.push(text.to_owned());
    }
    bytes(shapes)
}
