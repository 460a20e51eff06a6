# An echo server that serves one client, and ends with it.
import socket

server = socket.create_server(("127.0.0.1", 6000))
connection, peer = server.accept()
while data := connection.recv(4096):
    connection.sendall(data)
