package e2e

import (
	"bytes"
	"encoding/base64"
	"path/filepath"
	"testing"

	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

// importing makes what a module of the page exports available to a script.
const importing = `const {begin,resume,list}=await import(document.querySelector('script[src$="/js/upload.js"]').src.replace('upload.js','journal.js'));
	const digest=n=>new Uint8Array(32).fill(n);
	const upload={engine:'e',fragment:'f',owner:'o',identity:'i',password:false,kind:'file',note:'',
		entries:[{name:'n',size:5,type:'',lastModified:7}],lifetime:1,maxDownloads:0,partSize:100,grace:1000};
	const sealer={prefix:new Uint8Array(184),manifest:new Uint8Array(300)};
	const code=f=>Promise.resolve().then(f).then(()=>'',e=>e.code??e.message);`

// TestJournal: what the journal took once it holds against whatever comes later, in the same page or another one.
func TestJournal(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	eachEngine(t, func(t *testing.T, engine string) {
		b := launch(t, engine, webdriver.Options{})
		for name, script := range map[string]string{
			"frames are the same or refused": `const j=await begin('frames',upload,sealer,[]);
				j.frame(0,digest(0),10);j.frame(1,digest(1),11);await j.part(1,digest(100));j.frame(2,digest(2),12);j.close();
				const k=await resume('frames');
				const out=[k.intact,k.frames,k.frameSize(1),await code(()=>k.frame(0,digest(0),10)),await code(()=>k.frame(1,digest(1))),
					await code(()=>k.frame(0,digest(9),10)),await code(()=>k.frame(0,digest(0),9)),await code(()=>k.frame(2,digest(7),12)),k.frames];
				await k.erase();k.close();return JSON.stringify(out)===JSON.stringify([true,2,11,'','','mismatch','mismatch','',3])||JSON.stringify(out)`,
			"parts are the same or refused": `const j=await begin('parts',upload,sealer,[]);
				await j.part(1,digest(1));
				const same=await code(()=>j.part(1,digest(1))),other=await code(()=>j.part(1,digest(2)));j.close();
				const k=await resume('parts');
				const out=[same,other,k.hasPart(1),k.hasPart(2),await code(()=>k.part(1,digest(1))),await code(()=>k.part(1,digest(2)))];
				await k.erase();k.close();return JSON.stringify(out)===JSON.stringify(['','mismatch',true,false,'','mismatch'])||JSON.stringify(out)`,
			"parts that are ready together go together, and all are there": `const j=await begin('batch',upload,sealer,[]);
				let transactions=0;const real=IDBDatabase.prototype.transaction;
				IDBDatabase.prototype.transaction=function(...a){if(a[1]==='readwrite'){transactions++;if(a[2]?.durability!=='strict')throw new Error('not strict')}return real.apply(this,a)};
				for(let i=0;i<50;i++)j.frame(i,digest(i),i);
				await Promise.all(Array.from({length:20},(_,n)=>j.part(n+1,digest(n))));
				const together=transactions;
				for(let i=50;i<60;i++){j.frame(i,digest(i),i);await j.part(i,digest(i))}
				IDBDatabase.prototype.transaction=real;j.close();
				const k=await resume('batch');let good=k.intact&&k.frames===60&&together===1&&transactions===11;
				for(let i=0;i<60;i++){k.frame(i,digest(i),i);good&&=k.frameSize(i)===i}
				for(let n=0;n<20;n++)good&&=k.hasPart(n+1);
				await k.erase();k.close();return good||[together,transactions,k.frames].join()`,
			"insert if absent, whoever wrote it": `const j=await begin('absent',upload,sealer,[]);
				const db=await new Promise(ok=>{const r=indexedDB.open('sealpost uploads');r.onsuccess=()=>ok(r.result)});
				const tx=db.transaction('parts','readwrite');tx.objectStore('parts').add({id:'absent',n:3,at:0,part:{}});
				await new Promise(ok=>tx.oncomplete=ok);db.close();
				const out=await code(()=>j.part(3,digest(3)));await j.erase();j.close();return out==='elsewhere'||out`,
			"one at a time": `const j=await begin('lock',upload,sealer,[]);
				const out=[await code(()=>resume('lock')),(await list()).length];j.close();
				(await resume('lock')).close();await new Promise(ok=>setTimeout(ok,200));
				const kept=await list();out.push(kept.length,kept[0].id,kept[0].upload.owner);
				const k=await resume('lock');out.push(k.upload.fragment);await k.erase();k.close();out.push(await resume('lock'),(await list()).length);
				return JSON.stringify(out)===JSON.stringify(['elsewhere',0,1,'lock','o','f',null,0])||JSON.stringify(out)`,
			"what was tampered with is not gone on with": `const j=await begin('tampered',upload,sealer,[]);j.frame(0,digest(0),1);await j.part(1,digest(1));await j.part(2,digest(2));j.close();
				const db=await new Promise(ok=>{const r=indexedDB.open('sealpost uploads');r.onsuccess=()=>ok(r.result)});
				const store=()=>db.transaction('parts','readwrite').objectStore('parts');
				const get=n=>new Promise(ok=>{const r=store().get(['tampered',n]);r.onsuccess=()=>ok(r.result)});
				const [one,two]=[await get(1),await get(2)];const tx=db.transaction('parts','readwrite');
				tx.objectStore('parts').put({...one,part:two.part});tx.objectStore('parts').put({...two,part:one.part});
				await new Promise(ok=>tx.oncomplete=ok);db.close();
				const k=await resume('tampered');const intact=k.intact;await k.erase();k.close();return !intact`,
			"what is closed takes nothing any more": `const j=await begin('closed',upload,sealer,[]);j.close();
				const out=await code(()=>j.part(1,digest(1)));const k=await resume('closed');const none=!k.hasPart(1);await k.erase();k.close();
				return out==='elsewhere'&&none||out`,
			"where nothing can be kept there is no journal": `const real=IDBFactory.prototype.open;IDBFactory.prototype.open=()=>{throw new DOMException('no','SecurityError')};
				const none=await begin('none',upload,sealer,[]);IDBFactory.prototype.open=real;await new Promise(ok=>setTimeout(ok,200));
				const lock=(await navigator.locks.query()).held.some(l=>l.name.includes('none'));return none===null&&!lock`,
			"when nothing can be kept any more it ends, and nothing is left of it": `const j=await begin('full',upload,sealer,[]);await j.part(1,digest(1));
				const real=IDBObjectStore.prototype.add;IDBObjectStore.prototype.add=()=>{throw new DOMException('full','QuotaExceededError')};
				const out=[await code(()=>j.part(2,digest(2))),await code(()=>j.part(3,digest(3)))];IDBObjectStore.prototype.add=real;
				j.close();out.push(await resume('full'));
				return JSON.stringify(out)===JSON.stringify(['','',null])||JSON.stringify(out)`,
			"and when that cannot even be undone, it fails": `const j=await begin('stuck',upload,sealer,[]);await j.part(1,digest(1));
				const proto=IDBObjectStore.prototype,{add,delete:remove}=proto;
				proto.add=proto.delete=()=>{throw new DOMException('broken','UnknownError')};
				const out=[await code(()=>j.part(2,digest(2))),await code(()=>j.part(3,digest(3)))];
				Object.assign(proto,{add,delete:remove});await j.erase();j.close();
				return JSON.stringify(out)===JSON.stringify(['not-kept','not-kept'])||JSON.stringify(out)`,
		} {
			must(t, b.Go(s.url+"/"))
			must(t, b.WaitFor("return document.querySelectorAll('[data-hook=expiry] option').length>1", patience))
			v, err := b.Eval(importing + script)
			if err != nil || v != true {
				t.Errorf("%s: %s: %v, %v", engine, name, v, err)
			}
		}
		if kept := journaled(t, b); kept != 0 {
			t.Errorf("%s: %d records are left", engine, kept)
		}
	})
}

// TestJournalSealed: whoever reads all that the browser keeps of an unfinished upload, and of its link, finds no key, no name, no note and no password in
// it, in whatever spelling, and no key that could be read.
func TestJournalSealed(t *testing.T) {
	sometimes(t)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t, "-part-size", "512KiB")
		s.tap.record()
		b := launch(t, engine, webdriver.Options{})
		const name, note, password = "canary-name-Rotkehlchen.bin", "canary-note-Gimpel", "canary-password-Zeisig"
		folder := filepath.Join(t.TempDir(), "canary-folder-Stieglitz")
		writeFile(t, filepath.Join(folder, name), noise(random(t), 7<<20))
		was := s.begin(t, b, parcel{folder: folder, note: note, password: password}, func() { must(t, b.Go(s.url+"/")) })
		s.wantOffer(t, b, filepath.Base(folder))
		r := s.reader(t, was.link, password)
		secret, err := base64.RawURLEncoding.DecodeString(r.fragment)
		must(t, err)
		needles := map[string][]byte{"name": []byte(name), "folder": []byte("canary-folder-Stieglitz"), "note": []byte(note), "password": []byte(password),
			"fragment": []byte(r.fragment), "secret": secret[1:], "identity": []byte(r.keys.Identity), "owner token": ownerToken(t, s)}
		v, err := b.Eval(`const chunks=[];let keys=0;
			const walk=v=>{if(v instanceof CryptoKey){keys++;if(v.extractable)chunks.push('EXTRACTABLE')}
				else if(v instanceof ArrayBuffer)walk(new Uint8Array(v));
				else if(v instanceof Uint8Array)for(let i=0;i<v.length;i+=8192)chunks.push(String.fromCharCode(...v.subarray(i,i+8192)));
				else if(v&&typeof v==='object')for(const [k,w] of Object.entries(v)){chunks.push(unescape(encodeURIComponent(k)));walk(w)}
				else chunks.push(unescape(encodeURIComponent(String(v))))};
			const look=async()=>{for(const {name} of await indexedDB.databases()){
				const db=await new Promise((ok,no)=>{const r=indexedDB.open(name);r.onsuccess=()=>ok(r.result);r.onerror=no});
				for(const store of db.objectStoreNames)for(const way of ['getAll','getAllKeys'])walk(await new Promise(ok=>{const r=db.transaction(store).objectStore(store)[way]();r.onsuccess=()=>ok(r.result)}));
				db.close()}
				walk({...localStorage});walk({...sessionStorage})};
			await look();return [keys,btoa(chunks.join('\n'))]`)
		must(t, err)
		found := v.([]any)
		hay, err := base64.StdEncoding.DecodeString(found[1].(string))
		must(t, err)
		// There are two keys: of the upload, and of the list of links, in which it is.
		if found[0] != 2.0 || bytes.Contains(hay, []byte("EXTRACTABLE")) || len(hay) < 2000 || !bytes.Contains(hay, []byte(r.id)) {
			t.Fatalf("%v keys, %d bytes: not what should be there", found[0], len(hay))
		}
		haystacks := map[string][]byte{"the database": hay}
		b.Crash()
		must(t, b.Profile(func(path string, data []byte) {
			if bytes.Contains(data, []byte(r.id)) {
				haystacks[path] = data
			}
		}))
		t.Logf("%s keeps it in %d files", engine, len(haystacks)-1)
		for where, hay := range haystacks {
			for what, needle := range needles {
				for form, spelled := range spellings(needle) {
					if bytes.Contains(hay, spelled) {
						t.Errorf("%s is in %s, as %s", what, where, form)
					}
				}
			}
		}
	})
}

// ownerToken is the token with which parts were sent.
func ownerToken(t *testing.T, s *site) []byte {
	t.Helper()
	_, after, _ := bytes.Cut(s.tap.rec.bytes(), []byte("Bearer "))
	if len(after) < 43 {
		t.Fatal("no token was sent")
	}
	return bytes.Clone(after[:43])
}
