"""Two people write to each other in real browsers (docs/guarantees.md)."""

import json
import os

from timtw.loss.blocking import Visitor
from timtw.loss.speech import JsonSpeech, Login, Texts
from timtw.test.browser import PASSWORD, Browser, BrowserCase
from timtw.test.line import Line

MANY = 100
"""Texts of a conversation that is longer than what the page fetches at once."""


class ConversationTests(BrowserCase):
    """What both sides of a conversation see."""

    def test_two_people(self) -> None:
        """Both see all texts in order, and the writer sees that they were delivered."""
        alice, bob = self.person("alice"), self.person("bob")
        alice.find("bob")
        alice.say("Hello!", "How are you? 😀")
        bob.until(lambda: bob.one(".unread").text.startswith("2"), "two unread texts")
        bob.click(".conversations button")
        bob.shows("Hello!", "How are you? 😀")
        bob.gone(".unread")
        bob.say("很好 <b>thanks</b>")
        alice.shows("> Hello!", "> How are you? 😀", "很好 <b>thanks</b>")
        read = ["read"] * 2
        alice.until(lambda: alice.states() == read, "both texts read")

    def test_names(self) -> None:
        """A display name that one sets is what the other sees."""
        alice, bob = self.person("alice"), self.person("bob")
        alice.click("#you")
        alice.one("#shown-name").clear()
        alice.write("#shown-name", "Alice Liddell")
        alice.until(lambda: alice.one("#name-answer").text == "Saved.", "saved")
        bob.find("alice")
        self.assertEqual("Alice Liddell", bob.one("#peer .who").text)
        self.assertEqual("alice", bob.one("#peer .preview").text)

    def test_profiles(self) -> None:
        """What one tells about oneself is there after a reload, and others see it."""
        alice, bob = self.person("alice"), self.person("bob")
        alice.click("#you")
        alice.one("#profile-area").send_keys("Berlin")
        alice.write("#profile-words", "Reads about engines")
        alice.see("#name-answer", "Saved")
        alice.driver.refresh()
        alice.click("#you")
        area = alice.one("#profile-area")
        alice.until(lambda: area.get_attribute("value") == "Berlin", "kept")
        bob.find("alice")
        bob.click("#peer")
        bob.see(".about", "Berlin")
        bob.see(".about", "Reads about engines")

    def test_read(self) -> None:
        """What one window of an account has read is read in its others, also in a new
        one; and the writer sees it."""
        alice, bob = self.person("alice"), self.person("bob")
        other = self.browser()
        other.log_in("bob")
        alice.find("bob")
        alice.say("one", "two")
        for window in (bob, other):
            window.see(".unread", "2")
        bob.click(".conversations button")
        other.gone(".unread")
        alice.until(lambda: alice.states() == ["read"] * 2, "read")
        bob.keys("\ue00c")
        alice.say("three")
        other.see(".unread", "1")
        third = self.browser()
        third.log_in("bob")
        third.see(".unread", "1")

    def test_taken_back(self) -> None:
        """A text that its author takes back disappears on all pages, read or not."""
        alice, bob = self.person("alice"), self.person("bob")
        alice.find("bob")
        alice.say("to stay", "by mistake")
        bob.until(lambda: bob.one(".unread").text.startswith("2"), "two unread texts")
        speech = JsonSpeech()
        login = Login("alice", PASSWORD, "another", 9, additions=True)
        author = Visitor(self.node.port, speech, login)
        self.addCleanup(author.close)
        author.send(speech.backlog(0))
        page = author.hear()
        while not isinstance(page, Texts):
            page = author.hear()
        (text,) = (one for one in page.texts if one.body == "by mistake")
        peer = {"node": text.recipient}
        wanted = {"msType": 2, "odType": 2, "mid": text.mid, "toTid": peer}
        author.send(b"\xdc" + json.dumps(wanted).encode())
        alice.shows("> to stay")
        bob.until(lambda: bob.one(".unread").text.startswith("1"), "one unread text")
        bob.click(".conversations button")
        bob.shows("to stay")

    def test_taking_back(self) -> None:
        """An own text is taken back, and a received one removed, by a question that can
        be answered no; it disappears for both, and the next text can be typed."""
        alice, bob = self.person("alice"), self.person("bob")
        alice.find("bob")
        alice.say("one", "two", "three")
        bob.click(".conversations button")
        bob.shows("one", "two", "three")
        alice.until(lambda: alice.states() == ["read"] * 3, "delivered")
        self.hover(alice, ".message:nth-of-type(3)")
        alice.click(".message:nth-of-type(3) .act")
        self.assertIn("for both of you", alice.one(".removal").text)
        alice.click(".removal .keep")
        alice.gone(".removal")
        alice.shows("> one", "> two", "> three")
        alice.click(".message:nth-of-type(3) .act")
        alice.click(".removal .sure")
        alice.shows("> one", "> three")
        bob.shows("one", "three")
        self.hover(bob, ".message:nth-of-type(2)")
        bob.click(".message:nth-of-type(2) .act")
        bob.click(".removal .sure")
        bob.shows("three")
        alice.shows("> three")
        alice.keys("typed", "\ue007")
        bob.shows("three", "typed")

    def test_taking_back_what_is_gone(self) -> None:
        """Without a connection, or when the other side was faster, it says so."""
        alice, bob = self.person("alice"), self.person("bob")
        alice.find("bob")
        alice.say("one")
        bob.click(".conversations button")
        bob.shows("one")
        self.node.kill()
        alice.one("#status")
        self.hover(alice, ".message")
        alice.click(".act")
        alice.click(".removal .sure")
        problem = ".removal .problem"
        alice.until(lambda: "cannot be reached" in alice.one(problem).text, "why")
        alice.keys("\ue00c")
        alice.gone(".removal")
        self.assertEqual(["> one"], alice.texts())

    def hover(self, browser: Browser, selector: str) -> None:
        """Point at an element."""
        from selenium.webdriver import ActionChains

        ActionChains(browser.driver).move_to_element(browser.one(selector)).perform()

    def test_nobody(self) -> None:
        """A name that nobody has is explained, and so is one's own."""
        alice = self.person("alice")
        alice.write("#find", "Alicia")
        answer = alice.one("#find-answer")
        alice.until(lambda: "“Alicia”" in answer.text, "nobody is called so")
        alice.one("#find").clear()
        alice.write("#find", "alice")
        alice.until(lambda: "That is you" in answer.text, "that is oneself")

    def test_away(self) -> None:
        """What came while the page was closed is there when it comes back, unread."""
        alice, bob = self.person("alice"), self.person("bob")
        alice.find("bob")
        alice.say("one")
        bob.one(".unread")
        bob.driver.get("about:blank")
        away = [f"text {number}" for number in range(25)]
        alice.say(*away)
        alice.until(lambda: alice.states() == ["delivered"] + ["sent"] * 25, "sent")
        bob.driver.get(self.url)
        bob.until(lambda: bob.one(".unread").text.startswith("26"), "26 unread texts")
        bob.click(".conversations button")
        bob.shows("one", *away)
        alice.until(lambda: alice.states() == ["read"] * 26, "all delivered")

    def test_history(self) -> None:
        """Scrolling up brings everything, once and in order."""
        alice, bob = self.person("alice"), self.person("bob")
        alice.find("bob")
        texts = [f"text {number}" for number in range(MANY)]
        alice.say(*texts)
        bob.until(
            lambda: bob.one(".unread").text.startswith("100"), "many unread texts"
        )
        bob.click(".conversations button")
        bob.driver.refresh()
        bob.until(lambda: bob.texts()[-1:] == texts[-1:], "the newest text")
        self.assertLess(len(bob.texts()), MANY)
        top = "document.getElementById('messages').scrollTop = 0"
        bob.until(lambda: bob.run(top) or len(bob.texts()) == MANY, "all texts")
        bob.shows(*texts)


class TroubleTests(BrowserCase):
    """What happens to a conversation when something breaks."""

    def test_killed_node(self) -> None:
        """After the node was killed and started again everything is there, once."""
        alice, bob = self.person("alice"), self.person("bob")
        alice.find("bob")
        alice.say("before")
        bob.click(".conversations button")
        bob.shows("before")
        self.node.kill()
        alice.one("#status")
        alice.say("meanwhile")
        alice.shows("> before", "> meanwhile")
        self.assertEqual("sending", alice.states()[-1])
        self.node.start()
        bob.shows("before", "meanwhile")
        bob.say("after")
        alice.shows("> before", "> meanwhile", "after")
        alice.gone("#status")
        alice.until(lambda: alice.states() == ["read"] * 2, "both delivered")

    def test_send_again(self) -> None:
        """A text whose echo was lost is offered again, and arrives once."""
        line = Line(self.node.port)
        self.addCleanup(line.close)
        alice = self.browser(url=f"http://127.0.0.1:{line.port}/")
        alice.register("alice")
        bob = self.person("bob")
        alice.find("bob")
        alice.say("first")
        alice.until(lambda: alice.states() == ["delivered"], "delivered")
        line.mute()
        alice.say("once")
        bob.click(".conversations button")
        bob.shows("first", "once")
        alice.click(".again")
        alice.until(lambda: alice.states()[-1] == "sending", "sending again")
        line.cut()
        alice.until(lambda: alice.states() == ["read"] * 2, "delivered at last")
        alice.say("last")
        bob.shows("first", "once", "last")
        alice.shows("> first", "> once", "> last")

    def test_text_that_is_too_long_for_this_node(self) -> None:
        """A text above what the operator allows is not sent again and again: it says
        why, and what was written behind it arrives."""
        self.node.kill()
        self.patch(os, "environ", dict(os.environ, TIMTW_LIMITS_MAX_FRAME="8192"))
        self.node.start()
        alice, bob = self.person("alice"), self.person("bob")
        alice.find("bob")
        alice.run("document.querySelector('#text').value = 'x'.repeat(9000)")
        alice.say("!", "behind")
        bob.click(".conversations button")
        bob.shows("behind")
        self.assertIn("this length", alice.one(".remedy").text)
        alice.until(lambda: alice.states() == ["read", "not sent"], "given up")

    def test_unsent_text_survives(self) -> None:
        """A text that was written without a connection outlives the tab."""
        alice, bob = self.person("alice"), self.person("bob")
        alice.find("bob")
        alice.say("before")
        alice.until(lambda: alice.states() == ["delivered"], "delivered")
        self.node.kill()
        alice.one("#status")
        alice.say("unsent")
        alice.driver.get("about:blank")
        self.node.start()
        alice.driver.get(self.url)
        alice.shows("> before", "> unsent")
        bob.click(".conversations button")
        bob.shows("before", "unsent")
