"""The program: runs the command line and turns how it ended into an exit code.

Nothing is imported before `main` is entered, so that Ctrl-C is silent from then on.
"""

import sys


class Terminated(BaseException):
    """SIGTERM arrived."""


def main() -> None:
    """Run the command line; exit with 0, 1, 2 or 3 as documented, 130 or 143 when interrupted."""
    try:
        sys.exit(_run())
    except KeyboardInterrupt:
        print("dnnexp: interrupted", file=sys.stderr)
        sys.exit(130)
    except Terminated:
        print("dnnexp: terminated", file=sys.stderr)
        sys.exit(143)


def _run() -> int:
    import signal

    signal.signal(signal.SIGTERM, _terminate)
    import click

    from dnnexp.cli.app import cli

    try:
        return int(cli.main(prog_name="dnnexp", standalone_mode=False) or 0)
    except click.Abort:
        raise KeyboardInterrupt from None
    except click.ClickException as error:
        error.show()
        return 2
    except OSError as error:
        print(f"dnnexp: standard output: cannot be written: {error.strerror}", file=sys.stderr)
        return 3


def _terminate(signum: int, frame: object) -> None:
    raise Terminated


if __name__ == "__main__":
    main()
