"""What every storage engine must do about verifiers, blocks and the list of accounts.

A part of the contract in ``timtw.test.contracts``; see there.
"""

from __future__ import annotations

from timtw.model.standing import Standing
from timtw.model.values import FIRST_ACCOUNT, Account, AccountLine, TokenGrant
from timtw.test.contracts import LAPTOP, NOW, PHONE, ShardContract


class StandingContract(ShardContract):
    """What every account store must know about how accounts stand."""

    async def register(self, name: str, domain: str = "here") -> Account:
        """Make an account with a credential for its phone."""
        store = self.shard.accounts
        made = await store.register(name, domain, "hash", NOW)
        await store.put_credential(made.number, PHONE, f"{name} phone", NOW)
        return made

    async def owner(self, credential: str, now: int = NOW) -> Standing | None:
        """The standing of whose credential this is."""
        return await self.shard.accounts.credential(PHONE, credential, now)

    async def test_new_verifier(self) -> None:
        """
        A new password takes the place of the old one and ends all credentials.
        """
        ada, bob = await self.register("ada"), await self.register("bob")
        store = self.shard.accounts
        await store.put_credential(ada.number, LAPTOP, "other", NOW)
        self.assertTrue(await store.set_verifier(ada.number, "new"))
        new = Standing(ada, "new", 2)
        self.assertEqual(new, await store.verifier("ada", "here"))
        self.assertEqual(new, await store.standing(ada.number))
        self.assertIsNone(await self.owner("ada phone"))
        self.assertIsNone(await store.credential(LAPTOP, "other", NOW))
        self.assertEqual(Standing(bob, "hash"), await self.owner("bob phone"))
        self.assertEqual(Standing(bob, "hash"), await store.standing(bob.number))

    async def test_new_verifier_of_a_version(self) -> None:
        """
        Of two who change a password at once, who comes second changes nothing.
        """
        ada = await self.register("ada")
        store = self.shard.accounts
        self.assertTrue(await store.set_verifier(ada.number, "one", 1))
        await store.put_credential(ada.number, PHONE, "after", NOW)
        self.assertFalse(await store.set_verifier(ada.number, "two", 1))
        self.assertEqual(Standing(ada, "one", 2), await self.owner("after"))
        self.assertFalse(await store.set_verifier(12345, "nobody's"))

    async def test_block(self) -> None:
        """
        A block is kept until it is lifted, and every change raises the version.
        """
        ada = await self.register("ada")
        store = self.shard.accounts
        for version, until in ((2, NOW + 9), (3, -1), (4, 0), (5, 0)):
            await store.set_blocked(ada.number, until)
            wanted = Standing(ada, "hash", version, until)
            self.assertEqual(wanted, await store.standing(ada.number))
        await store.set_blocked(12345, -1)

    async def test_credential_and_block(self) -> None:
        """
        A credential from before a block is known while it lasts, and never again.
        """
        ada = await self.register("ada")
        store = self.shard.accounts
        await store.set_blocked(ada.number, NOW + 9)
        blocked = Standing(ada, "hash", 2, NOW + 9)
        self.assertEqual(blocked, await self.owner("ada phone", NOW + 8))
        self.assertIsNone(await self.owner("ada phone", NOW + 9))
        await store.put_credential(ada.number, PHONE, "later", NOW + 9)
        self.assertEqual(blocked, await self.owner("later", NOW + 9))

    async def test_credential_and_lifted_block(self) -> None:
        """
        Lifting a block ends credentials from before; where there is none, nothing.
        """
        ada = await self.register("ada")
        store = self.shard.accounts
        await store.set_blocked(ada.number, 0)
        self.assertEqual(Standing(ada, "hash", 2), await self.owner("ada phone"))
        await store.set_blocked(ada.number, -1)
        self.assertEqual(Standing(ada, "hash", 3, -1), await self.owner("ada phone"))
        await store.set_blocked(ada.number, 0)
        self.assertIsNone(await self.owner("ada phone"))

    async def test_end_of_proofs(self) -> None:
        """
        Ending everything that was proven keeps the password and nothing else.
        """
        ada, bob = await self.register("ada"), await self.register("bob")
        store = self.shard.accounts
        await store.end_proofs(ada.number)
        await store.end_proofs(12345)
        self.assertIsNone(await self.owner("ada phone"))
        self.assertEqual(Standing(ada, "hash", 2), await store.standing(ada.number))
        self.assertEqual(Standing(bob, "hash"), await self.owner("bob phone"))

    async def test_token_tells_its_version(self) -> None:
        """
        A token knows how its account stood when it was asked for.
        """
        grant = TokenGrant(await self.register("ada"), "ada", None, 7)
        store = self.shard.accounts
        await store.put_token("t", grant, NOW + 10)
        self.assertEqual(grant, await store.take_token("t", NOW))

    async def test_listing(self) -> None:
        """
        All accounts are listed once, in the order of their numbers, page by page.
        """
        names = [f"name {n} é" for n in range(24)]
        made = {(await self.register(n, "x")).number: n for n in names}
        self.assertLess(min(made), 0)
        self.assertGreater(max(made), 0)
        store = self.shard.accounts
        blocked = min(made)
        await store.set_blocked(blocked, -1)
        seen: list[AccountLine] = []
        after = FIRST_ACCOUNT
        while page := await store.listing(after, 5):
            self.assertLessEqual(len(page), 5)
            seen += page
            after = seen[-1].account.number
        self.assertEqual(
            [(n, made[n], -1 if n == blocked else 0) for n in sorted(made)],
            [(one.account.number, one.name, one.blocked_until) for one in seen],
        )
        self.assertEqual({"x"}, {one.account.address.domain for one in seen})
