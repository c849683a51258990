"""Makes key-hierarchy.json and release.json without any code of this package: Python's hashlib and `cryptography`
(48 or later). Run it in this folder. Encapsulation is random, so that release.json differs from run to run."""

import hashlib
import hmac
import json
import struct

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id


def lp(value):
    value = value.encode() if isinstance(value, str) else value
    return struct.pack(">H", len(value)) + value


def mac(key, message):
    return hmac.new(key, message, hashlib.sha256).digest()


def hkdf(secret, info):
    return mac(mac(b"", secret), info.encode() + b"\x01")


def aead(key, nonce, plaintext, aad):
    return nonce + AESGCM(key).encrypt(nonce, plaintext, aad)


def filled(byte, length):
    return bytes([byte]) * length


PERSON = "6f1c1f5e-6d1a-4c0e-9a55-0d9f3f1b2a77"
ORDER = "0b6a5a52-8f0e-4b9f-8a0e-3a4f5f7b1c11"
JOB = "f3b0a2de-1111-4222-8333-944455566677"
root, wrapping, nonce = filled(1, 32), hkdf(filled(2, 32), "tipstaff/v1/wrap"), filled(3, 12)
keys = {
    "dek/1": hkdf(root, "tipstaff/v1/dek/1"),
    "dek/2": hkdf(root, "tipstaff/v1/dek/2"),
    "audit": hkdf(root, "tipstaff/v1/audit"),
    "tag": hkdf(root, "tipstaff/v1/tag"),
    "job": hkdf(root, "tipstaff/v1/job"),
}

details = "{\"rank\":\"Chief Inspector\",\"unit\":\"Bézier\"}"
padded = details.encode() + b"\x80"
padded += bytes(-len(padded) % 256)
record_aad = b"tipstaff/v1/record" + lp(PERSON) + lp("details") + struct.pack(">II", 1, 7)

context_fields = {
    "force": "exampleshire-police",
    "recipient": "cardmaker",
    "order": ORDER,
    "job": JOB,
    "agreementDigest": "a1" * 32,
    "templateDigest": "b2" * 32,
    "categories": ["pd:Picture", "tip:Rank", "pd:Name"],
}
context = b"tipstaff/v1/job" + b"".join(
    lp(text)
    for text in [
        "A256GCM",
        context_fields["force"],
        context_fields["recipient"],
        ORDER,
        JOB,
        context_fields["agreementDigest"],
        context_fields["templateDigest"],
        " ".join(sorted(context_fields["categories"])),
    ]
)
head, pages = {"card": "W-000123"}, b"%PDF-1.7 two pages"
head_bytes = json.dumps(head, separators=(",", ":")).encode()
payload = struct.pack(">I", len(head_bytes)) + head_bytes + struct.pack(">I", len(pages)) + pages
payload += bytes(32 * 1024 - len(payload))
content_key = filled(9, 32)
sealed_job = aead(content_key, nonce, payload, context)
facts = {"cardKind": "warrant-card", "categories": ["pd:Name", "pd:Picture"], "postSensitivity": "ordinary", "rank": "PC"}
facts_bytes = json.dumps(facts, separators=(",", ":")).encode()
job_key_aad = b"tipstaff/v1/job-key" + hashlib.sha256(context).digest()
index_key = hkdf(filled(4, 32), "tipstaff/v1/index/warrant")
row = "000123\x1fPC\x1fBézier"
passphrase_key = Argon2id(salt=filled(6, 16), length=32, iterations=3, lanes=1, memory_cost=65536).derive(b"correct horse")

key_hierarchy = {
    "source": "generate.py in this folder",
    "root": root.hex(),
    "keys": {name: key.hex() for name, key in keys.items()},
    "wrapped": {
        "keyEncryptionKey": filled(2, 32).hex(),
        "wrappingKey": wrapping.hex(),
        "name": f"root/{PERSON}",
        "nonce": nonce.hex(),
        "wrapped": aead(wrapping, nonce, root, b"tipstaff/v1/wrapped" + lp(f"root/{PERSON}")).hex(),
    },
    "record": {
        "place": {"personId": PERSON, "field": "details", "dekVersion": 1, "recordVersion": 7},
        "plaintext": details,
        "nonce": nonce.hex(),
        "sealed": aead(keys["dek/1"], nonce, padded, record_aad).hex(),
    },
    "index": {
        "root": filled(4, 32).hex(),
        "field": "warrant",
        "value": "000123",
        "key": index_key.hex(),
        "index": mac(index_key, b"tipstaff/v1/index" + lp("warrant") + lp("000123"))[:16].hex(),
    },
    "fingerprint": {
        "key": filled(5, 32).hex(),
        "row": row,
        "fingerprint": mac(filled(5, 32), b"tipstaff/v1/fingerprint" + row.encode())[:16].hex(),
    },
    "pseudonym": {
        "key": filled(7, 32).hex(),
        "person": PERSON,
        "pseudonym": mac(filled(7, 32), b"tipstaff/v1/pseudonym" + lp(PERSON))[:16].hex(),
    },
    "job": {
        "contextFields": context_fields,
        "context": context.hex(),
        "contentKey": content_key.hex(),
        "nonce": nonce.hex(),
        "head": head,
        "pages": pages.hex(),
        "sealedLength": len(sealed_job),
        "sealedDigest": hashlib.sha256(sealed_job).hexdigest(),
    },
    "jobKey": {
        "facts": facts,
        "nonce": nonce.hex(),
        "wrapped": aead(keys["job"], nonce, content_key + facts_bytes, job_key_aad).hex(),
    },
    "keyFile": {
        "passphrase": "correct horse",
        "salt": filled(6, 16).hex(),
        "nonce": nonce.hex(),
        "key": filled(2, 32).hex(),
        "wrapped": aead(passphrase_key, nonce, filled(2, 32), b"tipstaff/v1/wrapped" + lp("secret/key-encryption-key")).hex(),
    },
}

# X-Wing (draft-connolly-cfrg-xwing-kem) and HPKE base mode (RFC 9180, section 5.1).
seed, info = filled(8, 32), b"tipstaff release"
expanded = hashlib.shake_256(seed).digest(96)
pq, ec = MLKEM768PrivateKey.from_seed_bytes(expanded[:64]), X25519PrivateKey.from_private_bytes(expanded[64:])
pq_public, ec_public = pq.public_key(), ec.public_key()
pq_secret, pq_ciphertext = pq_public.encapsulate()
ephemeral = X25519PrivateKey.from_private_bytes(filled(11, 32))
ec_ciphertext = ephemeral.public_key().public_bytes_raw()
ec_secret = ephemeral.exchange(ec_public)
shared = hashlib.sha3_256(pq_secret + ec_secret + ec_ciphertext + ec_public.public_bytes_raw() + b"\\.//^\\").digest()
suite_id = b"HPKE" + struct.pack(">HHH", 0x647A, 0x0001, 0x0002)


def extract(salt, label, ikm):
    return mac(salt, b"HPKE-v1" + suite_id + label + ikm)


def expand(secret, label, message, length):
    return mac(secret, struct.pack(">H", length) + b"HPKE-v1" + suite_id + label + message + b"\x01")[:length]


schedule = b"\x00" + extract(b"", b"psk_id_hash", b"") + extract(b"", b"info_hash", info)
secret = extract(shared, b"secret", b"")
hpke_key, hpke_nonce = expand(secret, b"key", schedule, 32), expand(secret, b"base_nonce", schedule, 12)
release = {
    "source": "generate.py in this folder",
    "seed": seed.hex(),
    "publicKey": (pq_public.public_bytes_raw() + ec_public.public_bytes_raw()).hex(),
    "info": info.hex(),
    "enc": (pq_ciphertext + ec_ciphertext).hex(),
    "contentKey": content_key.hex(),
    "sealed": AESGCM(hpke_key).encrypt(hpke_nonce, content_key, b"").hex(),
}

for name, vectors in {"key-hierarchy": key_hierarchy, "release": release}.items():
    with open(f"{name}.json", "w", encoding="utf-8") as file:
        json.dump(vectors, file, indent=2, ensure_ascii=False)
        file.write("\n")
