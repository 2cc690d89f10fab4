"""Statements of accounts, tokens and credentials; see ``statements``."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, select

from timtw.shards.tables import schema
from timtw.shards.tables.dialects import Sql, equal
from timtw.shards.tables.statements import FIRST, READER


class AccountStatements:
    """What is done with accounts, tokens and credentials."""

    def __init__(self, sql: Sql) -> None:
        account, token, credential = schema.account, schema.token, schema.credential
        a, c = account.c, credential.c
        columns = (a.number, a.node, a.identity, a.created)
        by_name = equal(account, "slot", "name_digest")
        standing = (*columns, a.verifier, a.verifier_version, a.blocked)
        self.find = sql.text(select(*standing).where(*by_name), "slot", "name_digest")
        by_number = select(*standing).where(*equal(account, "slot", "number"))
        self.read_standing = sql.text(by_number, "slot", "number")
        self.lock_standing = sql.text(by_number.with_for_update(), "slot", "number")
        self.write_standing = sql.text(
            account.update()
            .values(
                verifier=bindparam("hash"),
                verifier_version=bindparam("version"),
                blocked=bindparam("until"),
            )
            .where(a.slot == bindparam("at"), a.number == bindparam("who")),
            *("hash", "version", "until", "at", "who"),
        )
        self.read_listing = sql.text(
            select(*columns, a.blocked)
            .where(a.slot >= bindparam("low"), a.slot <= bindparam("high"))
            .where(a.number > bindparam("after"))
            .order_by(a.slot, a.number)
            .limit(bindparam("count"))
            .offset(FIRST),
            *("low", "high", "after", "count"),
        )
        self.read_accounts = sql.read_many(
            account,
            ("slot", "number"),
            *("number", "node", "identity", "created", "profile"),
        )
        mine = ("slot", "number", "node", "name_digest", "identity")
        new = (*mine, "verifier", "verifier_version", "created")
        self.insert_account = sql.text(
            account.insert().values({name: bindparam(name) for name in new}), *new
        )
        self.lock_profile = sql.text(
            select(a.profile)
            .where(*equal(account, "slot", "number"))
            .with_for_update(),
            *("slot", "number"),
        )
        self.write_profile = sql.text(
            account.update()
            .values(profile=bindparam("record"))
            .where(a.slot == bindparam("at"), a.number == bindparam("who")),
            *("record", "at", "who"),
        )
        token_key = ("slot", "digest")
        self.put_token = sql.put(token, token_key, "account", "expires", "granted")
        self.lock_token = sql.text(
            select(token.c.account, token.c.expires, token.c.granted)
            .where(*equal(token, *token_key))
            .with_for_update(),
            *token_key,
        )
        self.drop_token = sql.text(
            delete(token).where(*equal(token, *token_key)), *token_key
        )
        self.read_credentials = sql.text(
            select(c.device, c.created).where(*equal(credential, "slot", "account")),
            *("slot", "account"),
        )
        self.put_credential = sql.put(credential, READER, "digest", "created")
        self.find_credential = sql.text(
            select(c.account, c.device, c.created).where(*equal(credential, "digest")),
            "digest",
        )
        self.drop_credential = sql.text(
            delete(credential).where(*equal(credential, *READER)), *READER
        )
        self.drop_credentials = sql.text(
            delete(credential).where(*equal(credential, "slot", "account")),
            *("slot", "account"),
        )
