"""A guestbook: entries in PostgreSQL, visits counted in Redis, a photo in S3.

It needs nothing but Python, and the programs psql, redis-cli and curl, which find everything in the
variables that Windlass sets.
"""

import hashlib
import html
import os
import subprocess
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = """<!doctype html>
<title>Guestbook</title>
<h1>Guestbook</h1>
<p>Visit {visits}</p>
<ul>{entries}</ul>
<form method="post"><input name="name" placeholder="Name" required>
<input name="text" placeholder="What would you like to say?" required><button>Sign</button></form>
"""


def run(*command, data=b""):
    done = subprocess.run(command, input=data, capture_output=True, timeout=10)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]}: {done.stderr.decode(errors='replace')}")
    return done.stdout


def sql(statement, **values):
    variables = [f"--set={name}={value}" for name, value in values.items()]
    options = ["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"]
    found = run("psql", os.environ["DATABASE_URL"], *options, *variables, data=statement.encode())
    return found.decode().splitlines()


def redis(*command):
    return run("redis-cli", "-u", os.environ["REDIS_URL"], "--no-auth-warning", *command).decode()


def s3(name, *options, data=b""):
    url = "/".join([os.environ["S3_ENDPOINT"], os.environ["S3_BUCKET"], name])
    key = os.environ["AWS_ACCESS_KEY_ID"] + ":" + os.environ["AWS_SECRET_ACCESS_KEY"]
    # Not on the command line, which others on the machine can read.
    config = f'user = "{key}"\naws-sigv4 = "aws:amz:{os.environ["S3_REGION"]}:s3"\n'
    config += f'header = "x-amz-content-sha256: {hashlib.sha256(data).hexdigest()}"\n'
    read, write = os.pipe()
    os.write(write, config.encode())
    os.close(write)
    command = ["curl", "--silent", "--show-error", "--fail", "--config", f"/dev/fd/{read}"]
    try:
        done = subprocess.run(
            [*command, *options, url], input=data, capture_output=True, timeout=10, pass_fds=[read]
        )
    finally:
        os.close(read)
    return done.stdout if done.returncode == 0 else None


class Guestbook(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/healthz":
            return self.answer(200, b"ok")
        if self.path == "/photo":
            photo = s3("photo")
            if photo is None:
                return self.answer(404, b"there is no photo yet: PUT one here")
            return self.answer(200, photo, "image/png")
        entries = sql("SELECT name || ': ' || text FROM entries ORDER BY id DESC LIMIT 100")
        items = "".join(f"<li>{html.escape(entry)}</li>" for entry in entries)
        visits = redis("INCR", "visits").strip()
        page = PAGE.format(visits=visits, entries=items)
        self.answer(200, page.encode(), "text/html; charset=utf-8")

    def do_POST(self):
        form = urllib.parse.parse_qs(self.body().decode(errors="replace"))
        name, text = form.get("name", [""])[0], form.get("text", [""])[0]
        if not name or not text:
            return self.answer(400, b"name and text are missing")
        sql("INSERT INTO entries (name, text) VALUES (:'name', :'text')", name=name, text=text)
        self.send_response(303)
        self.send_header("Location", "/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_PUT(self):
        if self.path != "/photo":
            return self.answer(404, b"only /photo can be put")
        put = ["--request", "PUT", "--data-binary", "@-", "--header", "Content-Type: image/png"]
        stored = s3("photo", *put, data=self.body())
        self.answer(204 if stored is not None else 502, b"")

    def body(self):
        return self.rfile.read(min(int(self.headers.get("Content-Length", 0)), 10_000_000))

    def answer(self, status, body, kind="text/plain; charset=utf-8"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer(("", int(os.environ["PORT"])), Guestbook).serve_forever()
