"""Stands for a compiler: counts primes for about a second, then writes the page."""

import html
import pathlib
import time

version = pathlib.Path("VERSION").read_text().strip()
print(f"building version {version}", flush=True)

primes = []
number = 2
while time.process_time() < 1.0:
    if all(number % prime for prime in primes if prime * prime <= number):
        primes.append(number)
    number += 1
print(f"found {len(primes)} primes, the last one is {primes[-1]}", flush=True)

template = pathlib.Path("page.html").read_text()
page = template.replace("{version}", html.escape(version)).replace("{primes}", str(len(primes)))
pathlib.Path("index.html").write_text(page)
print("wrote index.html", flush=True)
