# A client that waits for the proxy, says hello once, and ends when its connection does.
import socket
import time

while True:
    try:
        connection = socket.create_connection(("127.0.0.1", 6000))
        break
    except ConnectionRefusedError:
        time.sleep(1)
connection.sendall(b"hello\n")
while connection.recv(4096):
    pass
