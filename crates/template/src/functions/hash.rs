//! Names made of other names: `guid` and `uniqueString`, the same as in Azure.

use serde_json::Value;
use uuid::{Uuid, uuid};

use super::{Fault, Function, MANY, Unknowns, called, pure, text_of, wrong};

/// The namespace of ARM's `guid()`. Source: Microsoft's reference of the function, "guid", which says that arguments are joined
/// by hyphens under this namespace as a version 5 UUID
/// (<https://learn.microsoft.com/azure/azure-resource-manager/bicep/bicep-functions-string#guid>).
const NAMESPACE: Uuid = uuid!("11fb06fb-712d-4ddd-98c7-e71bbd588830");

pub(super) static TABLE: &[Function] = &[
    pure("guid", 1, MANY, Unknowns::Deep, |args| {
        Ok(Uuid::new_v5(&NAMESPACE, joined(&args)?.as_bytes())
            .to_string()
            .into())
    }),
    pure("uniqueString", 1, MANY, Unknowns::Deep, |args| {
        Ok(unique_string(&joined(&args)?).into())
    }),
];

fn joined(args: &[Value]) -> Result<String, Fault> {
    if let Some(odd) = args
        .iter()
        .find(|arg| arg.is_array() || arg.is_object() || arg.is_null())
    {
        return wrong(format!("strings are wanted, found {}", called(odd)));
    }
    Ok(args.iter().map(text_of).collect::<Vec<_>>().join("-"))
}

/// Thirteen characters of base 32 over a 64-bit hash of the UTF-8 text. Microsoft does not document the algorithm. Four public
/// vectors from independent places prove this one; their last blocks are of 3, 4, 5 and 7 bytes:
///
/// - `uniqueString('tyeth')` is `zcztcwvu6iyg6`: computed with Microsoft's own library
///   (<https://stackoverflow.com/questions/43295720>);
/// - `uniqueString('hello', 'world')` is `a7wkljktk6wne` (<https://github.com/JasonWhall/go-azure-uniquestring>);
/// - the vector of Microsoft's Terraform provider, `cwvxuqg24sifi` (Azure/terraform-provider-azapi,
///   `unique_string_function_test.go`);
/// - one that the Bicep command line gave to a public test, `52p2c4jfs43ig` (in `tests/matrix.json`).
///
/// Values that other tools give under the same name are no vectors: Microsoft's DSC hashes with another murmur variant, and
/// Trivy's is a stand-in.
fn unique_string(text: &str) -> String {
    const DIGITS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let hash = murmur(text.as_bytes());
    (0..13)
        .map(|i| {
            let digit = (hash << (5 * i)) >> 59;
            char::from(DIGITS[usize::try_from(digit).unwrap_or(0) & 31])
        })
        .collect()
}

/// A number that equal texts share.
pub(crate) fn hash_of(text: &str) -> u64 {
    murmur(text.as_bytes())
}

/// A 64-bit murmur hash of two 32-bit lanes, seed 0: the lanes and constants of MurmurHash3 x86 128 with two lanes left out.
fn murmur(data: &[u8]) -> u64 {
    const C1: u32 = 0x239b_961b;
    const C2: u32 = 0xab0e_9789;
    let scramble = |word: u32, first: u32, turn: u32, second: u32| {
        word.wrapping_mul(first)
            .rotate_left(turn)
            .wrapping_mul(second)
    };
    let word = |bytes: &[u8]| {
        bytes
            .iter()
            .rev()
            .fold(0_u32, |word, byte| (word << 8) | u32::from(*byte))
    };
    let (mut h1, mut h2) = (0_u32, 0_u32);
    let mut blocks = data.chunks_exact(8);
    for block in &mut blocks {
        let (low, high) = block.split_at(4);
        h1 ^= scramble(word(low), C1, 15, C2);
        h1 = h1
            .rotate_left(19)
            .wrapping_add(h2)
            .wrapping_mul(5)
            .wrapping_add(0x561c_cd1b);
        h2 ^= scramble(word(high), C2, 17, C1);
        h2 = h2
            .rotate_left(13)
            .wrapping_add(h1)
            .wrapping_mul(5)
            .wrapping_add(0x0bca_a747);
    }
    let tail = blocks.remainder();
    if !tail.is_empty() {
        let (low, high) = tail.split_at(tail.len().min(4));
        h1 ^= scramble(word(low), C1, 15, C2);
        if !high.is_empty() {
            h2 ^= scramble(word(high), C2, 17, C1);
        }
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the hash takes the length modulo 2^32"
    )]
    let length = data.len() as u32;
    h1 ^= length;
    h2 ^= length;
    h1 = h1.wrapping_add(h2);
    h2 = h2.wrapping_add(h1);
    h1 = finish(h1);
    h2 = finish(h2);
    h1 = h1.wrapping_add(h2);
    h2 = h2.wrapping_add(h1);
    (u64::from(h2) << 32) | u64::from(h1)
}

fn finish(mut word: u32) -> u32 {
    word ^= word >> 16;
    word = word.wrapping_mul(0x85eb_ca6b);
    word ^= word >> 13;
    word = word.wrapping_mul(0xc2b2_ae35);
    word ^ (word >> 16)
}
