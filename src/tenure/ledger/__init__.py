"""PROVE: the Merkle tree over all events, its tiles, checkpoints and proofs, over a store it is given."""
