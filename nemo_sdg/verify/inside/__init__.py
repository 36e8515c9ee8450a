"""The code that runs inside the sandbox, in two processes: `tester` knows the tests, `program` runs the tested program.

They speak JSON over two pipes. Plain values cross by value (`codec`); everything else stays with the program and is
known to the tester by a number. Standard library only: the modules are handed to a bare interpreter, see
`sandbox.bundle`.
"""
