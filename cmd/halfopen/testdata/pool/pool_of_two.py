# A pool of two connections: the first has no keepalive, the second has 5/2/3. After a zero-read
# the loop goes on reading: "pool_of_two.py SERVER PORT".
import select
import socket
import sys

address = (sys.argv[1], int(sys.argv[2]))
first = socket.create_connection(address)
second = socket.create_connection(address)
second.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
second.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 5)
second.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 2)
second.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
while True:
    readable, _, _ = select.select([first, second], [], [])
    for connection in readable:
        connection.recv(10)
