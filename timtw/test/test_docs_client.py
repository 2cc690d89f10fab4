"""The examples of docs/how-to/write-a-client.md run as printed."""

from __future__ import annotations

from timtw.test.test_docs_examples import ProgramTests as _Programs
from timtw.test.test_docs_examples import example

PAGE = "docs/how-to/write-a-client.md"


class ClientProgramTests(_Programs):
    """The programs of the page, as somebody would copy them, and a real node."""

    def test_client_and_robot(self) -> None:
        """The page's second program writes to its first, and gets its answer."""
        port = str(self.node.port)
        for number, name in enumerate(("answer.py", "write.py")):
            text = example(PAGE, "python", number)
            self.assertIn("5080", text)
            (self.directory / name).write_text(text.replace("5080", port))
        (self.directory / "pw").write_text("secret\n")
        answers = self.run_program("answer.py", "robot", "secret")
        self.expect(answers, "robot is ready")
        output = self.run_program("write.py", "ada", "secret", "robot", "Hello")
        self.expect(output, "stored as message 1\n")
        self.expect(output, "Hello\n")
        listener = self.run_program(
            "-m", "timtw.cli", "listen", "--name", "ada", "--password-file", "pw",
            "--server", f"ws://127.0.0.1:{port}",
        )  # fmt: skip
        self.expect(listener, "You wrote: Hello")


del _Programs
