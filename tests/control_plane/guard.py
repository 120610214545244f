"""Runs one program and ends it when whoever started it is gone, however that happened.

A test run that is killed cannot clean up; its servers would live on. Each of them is therefore started by this
script, which holds a pipe to the test run: when the pipe closes, the program is killed. Standard library only.
"""

import os
import subprocess
import sys
import threading


def main() -> None:
    """`guard.py PROGRAM ARGUMENT…`: exits as the program does."""
    program = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)

    def end_with_the_pipe() -> None:
        while os.read(0, 1):
            pass
        program.kill()

    threading.Thread(target=end_with_the_pipe, daemon=True).start()
    status = program.wait()
    os._exit(status if status >= 0 else 128 - status)


if __name__ == "__main__":
    main()
