"""What a run reads: a folder to begin with, the tasks there are, locked data sets, the guard's evaluation rows."""
