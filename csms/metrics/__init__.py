"""What Prometheus is told: `meters` count, `board` is where the processes of a service show each other what they counted,
`pulse` puts it there, `tables` reads what only the database knows, and `page` is `/metrics`.

Why not prometheus_client's own way of several processes (a file for each metric, pid and start): each count would cost a
message a microsecond and more, files of dead processes stay, and gauges of the living need bookkeeping when one is killed.
Here a message costs a third of a microsecond, and what a dead process said is gone with it. prometheus_client writes the page.
"""
