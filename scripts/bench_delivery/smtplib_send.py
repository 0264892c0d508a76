"""Python's smtplib and email with a thread for each connection, as a careful script would:
`smtplib_send.py PORT CONNECTIONS MESSAGES TEXT HTML` prints how many were accepted and in how
many seconds."""

import json
import smtplib
import sys
import threading
import time
from email.message import EmailMessage
from email.utils import format_datetime, localtime, make_msgid
from pathlib import Path


def mail(text, html, number):
    address = f"reader{number:07}@example.org"
    unsubscribe = f"https://bench.example.org/unsubscribe/{number:059}"

    def fill(part):
        return part.replace("@ADDRESS@", address).replace("@UNSUBSCRIBE@", unsubscribe)

    message = EmailMessage()
    message["Date"] = format_datetime(localtime())
    message["From"] = "Bench Notes <notes@bench.example.org>"
    message["To"] = f"Reader {number} <{address}>"
    message["Subject"] = "The first"
    message["Message-ID"] = make_msgid(domain="bench.example.org")
    message["List-Id"] = "Bench Notes <bench.example.org>"
    message["List-Unsubscribe"] = f"<{unsubscribe}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message["Archived-At"] = "<https://bench.example.org/first/>"
    message.set_content(fill(text))
    message.add_alternative(fill(html), subtype="html")
    return message


def lane(port, numbers, text, html, accepted):
    with smtplib.SMTP("127.0.0.1", port) as connection:
        for number in numbers:
            # Raises unless the only recipient was taken.
            connection.send_message(mail(text, html, number))
            accepted.append(number)


def main():
    port, connections, messages = map(int, sys.argv[1:4])
    text, html = (Path(path).read_text() for path in sys.argv[4:6])
    accepted = []
    start = time.monotonic()
    lanes = [
        threading.Thread(target=lane, args=(port, range(first, messages, connections), text, html, accepted))
        for first in range(connections)
    ]
    for thread in lanes:
        thread.start()
    for thread in lanes:
        thread.join()
    print(json.dumps({"accepted": len(accepted), "seconds": time.monotonic() - start}))


main()
