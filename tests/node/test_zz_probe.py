import pytest, json, msgspec
from nations import *
from aldis.kernel import bundles, records, instruments as KI
from aldis.kernel.errors import *
from aldis.kernel.frames import Update
from aldis.kernel.messages import *
from aldis.node import pairing
from aldis.node.instruments import *
from aldis.kernel.records import *

def show(f):
    try: print("   ->", repr(f())[:300])
    except Exception as e: print("   ->", type(e).__name__, str(e)[:300])

def test_sneak_agreement(strangers):
    c=strangers
    text=ARRANGEMENT.replace(', "USA"','').replace('onward = []\n','').replace("onward = [\"USA\"]","")
    gbr=c["gbr"]
    import aldis.node.partners as P
    orig=P.pairing_text
    P.pairing_text=lambda *a,**k: text
    try: inv=gbr.partners.invite("AUS")
    finally: P.pairing_text=orig
    show(lambda: c["aus"].partners.join(inv, lambda s,f: True))
    show(lambda: [s.text for s in c["aus"].register.all()])

def test_header_only_instrument(coalition):
    c=coalition
    text=ARRANGEMENT.replace("pa-northern-watch","pa-x")
    d=Draft("instrument","pa-x","gbr","o",c.clock.now(),Label("UK","OFFICIAL",Releasability.to("AUS")),[DraftPortion("text",Label("UK","OFFICIAL",Releasability.to("USA")),text)],project="")
    c["gbr"].records.put(d)
    c.settle()
    print(c.held("aus","pa-x"))
    show(lambda: c["aus"].epochs.current())

def test_bigints(coalition):
    c=coalition
    for k in ({"created":-10**30},{"version":2**64,"previous":"0"*64},{"author":"x\x1b[2J"},{"label":{"policy":"\udcff"}}):
        from aldis.kernel.bundles import Item, seal, Commitment
        L=to("AUS", policy="UK")
        r=make_record(Draft("document","big-1","gbr","o",c.clock.now(),L,[DraftPortion("title",L,"t")],project="NORTHERN-WATCH"), __import__("os").urandom)
        h=json.loads(r.data); h.update(k)
        data=json.dumps(h,ensure_ascii=False,separators=(",",":")).encode("utf-8","surrogateescape")
        p=r.portions[0]
        com=msgspec.msgpack.encode(Commitment(records.sha256(data),[p.digest]))
        stream=c["gbr"].exchange.stream("aus")
        body,dig=seal([Item(com,data,[p.data])],stream,policy_epoch=b"\0"*32,created=c.clock.now(),signer=c["gbr"].core.signer)
        print(k); show(lambda: c["aus"].answer("gbr","deliver",body))
    w=sign_message(Receipt("gbr","aus",c.clock.now(),Cursor(1,2**70,"0"*64)),c["gbr"].core.signer)
    from aldis.node.exchange import Call
    show(lambda: c["aus"].exchange.answered("gbr",Call("deliver",b""),w))
    w=sign_message(Receipt("gbr","aus",c.clock.now(),Cursor(1,-2**70,"0"*64)),c["gbr"].core.signer)
    show(lambda: c["aus"].exchange.answered("gbr",Call("deliver",b""),w))
    w=sign_message(Greeting("gbr","aus",c.clock.now(),1,since=2**70,proof=["zz"],checkpoint="x"),c["gbr"].core.signer)
    show(lambda: c["aus"].answer("gbr","greet",w))
    note=c["gbr"].audit.checkpoint()
    held=c["aus"].audit
    import aldis.kernel.ledger as kl
    from aldis.node.core import ledger_name
    since=kl.verify_checkpoint(c["aus"].core.store.ledger.checkpoint(ledger_name("gbr"))[1], ledger_name("gbr"), c["gbr"].core.note_signer.public).size
    w=sign_message(Greeting("gbr","aus",c.clock.now(),1,since=since,proof=["zz"],checkpoint=note.decode()),c["gbr"].core.signer)
    show(lambda: c["aus"].answer("gbr","greet",w))

def test_live_starve(coalition):
    c=coalition
    L=to("GBR","USA")
    n=c["aus"]
    n.live_out.publish(L,L,PROJECT,Update("e1","document","title",c.clock.now(),"x"*70000),["gbr"])
    n.live_out.publish(L,L,PROJECT,Update("e2","document","title",c.clock.now(),"small"),["gbr"])
    show(lambda: n.live_out.frame("gbr",1)); show(lambda: n.live_out.frame("gbr",1))
def test_hold_live(coalition):
    c=coalition
    L=to("GBR","USA")
    n=c["aus"]
    c.put("aus","doc-1",{"title":("x",L)})
    n.desk.hold("doc-1","because")
    n.live_out.publish(L,L,PROJECT,Update("doc-1","document","title",c.clock.now(),"small"),["gbr"])
    show(lambda: n.live_out.frame("gbr",1))

def test_replay_reply(strangers):
    c=strangers
    yes=lambda s,f: True
    inv=c["aus"].partners.invite("GBR"); _,reply=c["gbr"].partners.join(inv,yes); c["aus"].partners.join(reply,yes)
    from aldis.kernel.epoch import PartnerStatus
    c["aus"].partners.set_status("gbr",PartnerStatus.SUSPENDED,"x")
    show(lambda: c["aus"].partners.join(reply,yes)); print(c["aus"].partners.get("gbr").status)
    show(lambda: c["gbr"].partners.join(inv,yes))
    show(lambda: c["aus"].partners.join(inv,yes))

def test_name_clash(coalition):
    c=coalition
    # a USA node named gbr
    other=Coalition(c.folder/"x"); other.clock=c.clock
    other.add("gbr",party="USA",policy="US",ceiling="SECRET")
    inv=other["gbr"].partners.invite("AUS")
    show(lambda: c["aus"].partners.join(inv,lambda s,f: True)[0].party)
    show(lambda: c["aus"].partners.get("gbr").party)
    other.close()

def test_old_receipt(coalition, tmp_path):
    c=coalition
    L=to("GBR","USA")
    f=[]
    for i in range(2):
        c.put("aus",f"doc-{i}",{"title":("x",L)})
        [b]=c["aus"].files.export("gbr",tmp_path/"out") if i==0 else [list(c["aus"].files.export("gbr",tmp_path/"out"))[-1]]
        print(b.name); f.append(c["gbr"].files.take(b)[1])
    show(lambda: c["aus"].files.take(f[1])); show(lambda: c["aus"].files.take(f[0]))

def test_retry_keeps_grant(coalition):
    c=coalition
    kinds=c["gbr"].core.kinds
    doc=kinds.pop("document") if isinstance(kinds,dict) else None
    L=to("GBR","USA")
    c.put("aus","doc-1",{"title":("x",L)})
    c.settle("aus","gbr")
    q=c["gbr"].core.store.quarantine.all(); print(q)
    kinds["document"]=doc
    show(lambda: c["gbr"].inbound.retry(q[0].id).header.id)
    from aldis.kernel.epoch import PartnerStatus
    c["aus"].partners.set_status("usa",PartnerStatus.SUSPENDED,"x")
    c.settle("gbr","usa"); print(c.held("usa","doc-1"))

def test_distrust(coalition):
    c=coalition
    L=to("GBR","USA")
    c.put("aus","doc-1",{"title":("x",L)}); c.settle()
    cur=c["gbr"].inbound.cursor("aus"); print(cur.epoch, cur.seq)
    c["gbr"].partners.distrust("aus",cur.seq,"lost key")
    c.put("aus","doc-2",{"title":("x",L)})
    show(lambda: c.settle("aus","gbr"))
    c["aus"].exchange.new_epoch("attack")
    show(lambda: c.settle("aus","gbr"))
    print(c.held("gbr","doc-2"))

def test_shadow(coalition):
    c=coalition
    t=ARRANGEMENT.replace('"AUS", ','').replace("Northern Watch","Shadow").replace('{ AUS = "SECRET", UK','{ UK').replace('onward = ["USA"]','')
    show(lambda: c["gbr"].register.draft(t,"o"))
    lab=to("AUS","USA",policy="UK")
    d=instrument_draft(t,policies=c["gbr"].core.policies,label=lab,node="gbr",author="o",at=c.clock.now())
    d=msgspec.structs.replace(d,version=9,previous=b"\1"*32)
    show(lambda: c["gbr"].records.put(d).header.id)
    c.settle()
    for n in ("gbr","usa"):
        k=c[n]
        row=[r for r in k.core.store.records.versions("pa-northern-watch") if r.originator=="gbr"][0]
        dd=cosignature_draft(row.record(),party=k.core.party,node=n,author="o",signer=k.core.signer,at=c.clock.now())
        k.records.put(dd)
    c.settle()
    show(lambda: c["aus"].register.all())
    show(lambda: c["aus"].register.text("pa-northern-watch"))

def test_restored_sender(coalition):
    import shutil
    c=coalition
    L=to("GBR","USA")
    c.put("aus","doc-1",{"title":("x",L)}); c.settle()
    c["aus"].close(); shutil.copytree(c.folder/"aus", c.folder/"backup"); c.nodes.pop("aus"); c.open("aus")
    c.put("aus","doc-2",{"title":("x",L)}); c.settle()
    c["aus"].close(); c.nodes.pop("aus"); shutil.rmtree(c.folder/"aus"); shutil.copytree(c.folder/"backup", c.folder/"aus"); c.open("aus")
    c.clock.at+=100000
    show(lambda: c.settle("aus","gbr"))
    print(c["gbr"].core.store.quarantine.all())
    show(lambda: c["aus"].exchange.new_epoch("restored"))
    show(lambda: c.settle("aus","gbr"))
    c.put("aus","doc-3",{"title":("x",L)})
    show(lambda: c.settle("aus","gbr"))
    print(c.held("gbr","doc-3"))

def test_restored_receiver(coalition):
    import shutil
    c=coalition
    L=to("GBR","USA")
    c.put("aus","doc-1",{"title":("x",L)}); c.settle()
    c["gbr"].close(); shutil.copytree(c.folder/"gbr", c.folder/"backup"); c.nodes.pop("gbr"); c.open("gbr")
    c.put("aus","doc-2",{"title":("x",L)}); c.settle()
    c["gbr"].close(); c.nodes.pop("gbr"); shutil.rmtree(c.folder/"gbr"); shutil.copytree(c.folder/"backup", c.folder/"gbr"); c.open("gbr")
    c.clock.at+=100000
    show(lambda: c.settle("aus","gbr"))
    show(lambda: c["aus"].exchange.new_epoch("restored"))
    show(lambda: c.settle("aus","gbr"))
    print(c.held("gbr","doc-2"))
