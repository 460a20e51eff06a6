# A pool of two connections, each used every ten minutes, as pools are by callers that come rarely.
# "pool.py SERVER PORT [keepalive|validates]": a request that fails is made again on a new
# connection; with keepalive each connection has 60/10/3, and with validates each is tried before use
# for five seconds at most.
import socket
import sys
import time

server, port, how = sys.argv[1], int(sys.argv[2]), sys.argv[3:]


def connected():
    connection = socket.create_connection((server, port))
    if "keepalive" in how:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
    return connection


def ask(connection, what, within=None):
    connection.settimeout(within)
    connection.sendall(what)
    if not connection.recv(100):
        raise ConnectionError("the server has closed")
    connection.settimeout(None)


pool = [connected(), connected()]
while True:
    for i in range(len(pool)):
        if "validates" in how:
            try:
                ask(pool[i], b"try\n", within=5)
            except OSError:
                pool[i].close()
                pool[i] = connected()
        try:
            ask(pool[i], b"request\n")
        except OSError:
            pool[i].close()
            pool[i] = connected()
            ask(pool[i], b"request\n")
    time.sleep(600)
