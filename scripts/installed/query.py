"""A client that asks the database for something, and keeps the connection."""

import sys
import time

import psycopg2

connection = psycopg2.connect(host=sys.argv[1], port=sys.argv[2], user="postgres", dbname="postgres")
cursor = connection.cursor()
cursor.execute("select 6 * 7")
print("the answer is", *cursor.fetchone(), flush=True)
time.sleep(100000000)
