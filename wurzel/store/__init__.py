"""The store: data of all jobs by content, a cache that all engines share, and what each run handed over.

Example:
store = open_store("/srv/wurzel", "rag")
entry = store.look_up(fingerprint)
if entry is None:                               # run the step into `folder`
    data = {"": store.put_dataset(folder)}
    entry = store.record(Entry(fingerprint, "split", data, report))
run = Run(store, run_name("argo", uid))
begun = run.begin(definition)
run.hand_over(HandOver(run.name, "split", "", entry.datasets[""], definition, inputs={"read/_": digest}))
"""
