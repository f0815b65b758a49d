"""The HTTP face: who asks, may they, one flow, an answer. It decides nothing."""
