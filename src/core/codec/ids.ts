declare const brand: unique symbol
/** A map of names, so that a type may carry several brands. */
type Branded<Base, Name extends string> = Base & { readonly [brand]: { readonly [Key in Name]: true } }

/** Base58btc text of an Ed25519 libp2p peer id, `12D3Koo…`. Holds the public key itself. */
export type PeerId = Branded<string, 'PeerId'>

/** Base32 text of a CIDv1 with SHA-256, codec `raw` (`bafkrei…`) or `dag-cbor` (`bafyrei…`). */
export type Cid = Branded<string, 'Cid'>

/** Lower-case hexadecimal text of a SHA-256 digest, 64 characters. */
export type Hash = Branded<string, 'Hash'>

/** The hash of a job's manifest. Unique to its requester, since the manifest names the requester and a nonce. */
export type JobId = Branded<Hash, 'JobId'>

/** The account behind devices: peer id text of the first root key of an identity. It stays through every rotation. */
export type RootId = Branded<string, 'RootId'>

/** The hash of a learning task's manifest. Unique to its creator, since the manifest names the creator and a nonce. */
export type LearningTaskId = Branded<Hash, 'LearningTaskId'>
