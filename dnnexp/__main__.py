"""The program: runs the command line and turns how it ended into an exit code.

Nothing is imported before `main` is entered, so that Ctrl-C is silent from then on.
"""

import sys


def main() -> None:
    """Run the command line; exit with 0, 1, 2 or 3 as documented, 130 or 143 when interrupted."""
    code = 130
    try:
        _hold_standard_streams()
        from dnnexp.cli import interrupts

        interrupts.listen()
        code = 0
        sys.exit(_run())
    except KeyboardInterrupt:
        code = code or interrupts.exit_code()
        print("dnnexp: terminated" if code == 143 else "dnnexp: interrupted", file=sys.stderr)
        sys.exit(code)


def _hold_standard_streams() -> None:
    """Where one is closed, no file of ours may take its number: what others print would go there."""
    import os

    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the least that is free


def _run() -> int:
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


if __name__ == "__main__":
    main()
