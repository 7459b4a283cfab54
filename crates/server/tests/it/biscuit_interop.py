"""Verifies a token from standard input, narrows it in several ways, and prints what came of it.

Nothing of Windlass is in here: this is what a holder does with another implementation of Biscuit.
"""

import json
import sys

from biscuit_auth import Biscuit, BlockBuilder, PublicKey

request = json.load(sys.stdin)
token = Biscuit.from_base64(request["token"], PublicKey(request["public_key"]))

blocks = {
    "reading": 'check if operation("read")',
    "project": f'check if project("{request["project"]}")',
    "permission": 'check if permission($p), {"projects:read", "environments:read"}.contains($p)',
    "expired": "check if time($t), $t < 2020-01-01T00:00:00Z",
    "address": 'check if ip("192.0.2.1")',
    "network": 'check if network("127.0.0.0/8")',
    "wishful": 'right({"projects:write"}); user("usr_00000000000000000000000000")',
}
narrowed = {
    name: token.append(BlockBuilder(code)).to_base64() for name, code in blocks.items()
}
both = token.append(BlockBuilder(blocks["reading"])).append(BlockBuilder(blocks["network"]))
narrowed["both"] = both.to_base64()

answer = {
    "blocks": [token.block_source(index) for index in range(token.block_count())],
    "revocation_ids": token.revocation_ids,
    "narrowed": narrowed,
}
json.dump(answer, sys.stdout)
