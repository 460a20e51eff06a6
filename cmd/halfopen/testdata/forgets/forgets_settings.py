# A client that sends a message each 3 s, with a number in it, and waits 5 s for the answer. It
# connects again after each error; only its first connection has keepalive (60/10/3) and a user
# timeout of 90 s, and it sends the message that had no answer once more: "forgets_settings.py SERVER PORT".
import itertools
import socket
import sys
import time

address = (sys.argv[1], int(sys.argv[2]))
connection = None
first = True
for number in itertools.count():
    while True:
        try:
            if connection is None:
                connection = socket.create_connection(address, timeout=5)
                if first:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60)
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10)
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 90000)
                    first = False
            connection.sendall(b"message %d\n" % number)
            if connection.recv(100):
                break
        except OSError:
            pass
        if connection is not None:
            connection.close()
            connection = None
        time.sleep(1)
    time.sleep(3)
