"""The answer inside a reply: its dress, the phrases that introduce it, options, programs, refusals."""
