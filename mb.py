import torch,time,numpy as np
torch.set_num_threads(1)
def t(f,n=60):
    f();b=9e9
    for _ in range(15):
        s=time.process_time()
        for _ in range(n): f()
        b=min(b,(time.process_time()-s)/n)
    return b
R=440;n=R*96;v=torch.randn(R,96)
u=lambda f:round(t(f)/R*1e6,4)
print('bytes',u(lambda:np.random.bytes(n)))
g=np.random.Generator(np.random.SFC64(3))
print('sfc64 bytes',u(lambda:g.bytes(n)), 'integers u64', u(lambda:g.integers(0,2**64,n//8,dtype=np.uint64)), 'mk gen', t(lambda:np.random.Generator(np.random.SFC64(3)))*1e6, 'mk gen from legacy',t(lambda:np.random.Generator(np.random.SFC64(np.random.randint(2**31))))*1e6)
print('randint legacy u64', u(lambda:np.random.randint(0,2**64,n//8,dtype=np.uint64)))
tt=torch.empty(n//8,dtype=torch.int64); print('torch random_', u(lambda:tt.random_()))
t8=torch.empty(n//4,dtype=torch.int32); print('torch random_ i32', u(lambda:t8.random_()))
print('torch bernoulli', u(lambda:torch.empty(R,96).bernoulli_(.9)), 'rand', u(lambda:torch.rand(R,96)))
d=np.frombuffer(np.random.bytes(n),dtype=np.uint8); s=np.float32(1.1)
print('cmp',u(lambda:d>=25),'cmp+mult',u(lambda:np.multiply(d>=25,s)))
td=torch.from_numpy(d.copy()).view(R,96)
print('torch cmp',u(lambda:td>=25),'torch cmp * scale',u(lambda:(td>=25)*1.1),'torch cmp mul v',u(lambda:v*(td>=25)), 'masked_fill',u(lambda:v.masked_fill(td<25,0.)), 'where', u(lambda:torch.where(td>=25,v,0.)))
mf=torch.ones(R,96); print('float mul',u(lambda:v*mf),'addcmul',u(lambda:torch.addcmul(v,v,mf)))
print('td.float', u(lambda:td.float()), 'td.float + threshold_backward', u(lambda:torch.ops.aten.threshold_backward(v,td.float(),24.5)), 'tb',u(lambda:torch.ops.aten.threshold_backward(v,mf,24.5)))
print('native_dropout', u(lambda:torch.native_dropout(v,.1,True)))
g1=torch.ones(96)
y,m,r=torch.native_layer_norm(v,(96,),g1,g1,1e-8)
print('ln bwd',u(lambda:torch.ops.aten.native_layer_norm_backward(v,v,(96,),m,r,g1,g1,[True,True,True])),'ln bwd x only',u(lambda:torch.ops.aten.native_layer_norm_backward(v,v,(96,),m,r,g1,g1,[True,False,False])))
h=torch.randn(R,3,96);dh=torch.empty(R,3,96);dh[:]=0
print('sum0',u(lambda:h.view(R,288).sum(0)))
one=torch.ones(1,R); print('ones mm',u(lambda:torch.mm(one,h.view(R,288))))
buf=torch.empty(R,96)
def mb(d):
    torch.maximum(h[:,0],h[:,1],out=buf); torch.sub(h[:,2],buf,out=buf)
    torch.ops.aten.threshold_backward.grad_input(d,buf,0.0,grad_input=dh[:,2]); rest=d-dh[:,2]
    torch.sub(h[:,1],h[:,0],out=buf); torch.ops.aten.threshold_backward.grad_input(rest,buf,0.0,grad_input=dh[:,1]); torch.sub(rest,dh[:,1],out=dh[:,0])
print('max bwd',u(lambda:mb(v)))
idx=torch.randint(0,440,(2200,)); p=torch.randn(2200,128); 
x=torch.randn(2200,128)
U=lambda f:round(t(f)/2200*1e6,4)
print('per pair: gelu',U(lambda:torch.nn.functional.gelu(x)),'gelu bwd',U(lambda:torch.ops.aten.gelu_backward(x,x)),'tanh gelu',U(lambda:torch.nn.functional.gelu(x,approximate='tanh')),'erf',U(lambda:torch.erf(x)),'exp',U(lambda:torch.exp(x)),'tanh',U(lambda:torch.tanh(x)),'normcdf', U(lambda:torch.special.ndtr(x)))
w103=torch.randn(103,128);w112=torch.randn(112,128);b=torch.randn(103);dt=torch.randn(2200,103);dt2=torch.randn(2200,112)
w104=torch.randn(104,128);dt4=torch.randn(2200,104)
print('pair mm 103',U(lambda:torch.mm(x,w103.t())),U(lambda:torch.mm(dt,w103)),U(lambda:torch.mm(dt.t(),x)))
print('pair mm 104',U(lambda:torch.mm(x,w104.t())),U(lambda:torch.mm(dt4,w104)),U(lambda:torch.mm(dt4.t(),x)))
print('pair mm 112',U(lambda:torch.mm(x,w112.t())),U(lambda:torch.mm(dt2,w112)),U(lambda:torch.mm(dt2.t(),x)))
t4=torch.randn(440,128)
print('embedding',U(lambda:torch.nn.functional.embedding(idx,t4)),'index_add',U(lambda:t4.index_add_(0,idx,p)),'emb bwd',U(lambda:torch.ops.aten.embedding_dense_backward(p,idx,440,-1,False)), 'bag', U(lambda:torch.nn.functional.embedding_bag(torch.stack([idx,idx,idx],1),t4,mode='sum')))
print('log_softmax',U(lambda:torch.log_softmax(dt,1)),'softmax',U(lambda:torch.softmax(dt,1)),'lsm112',U(lambda:torch.log_softmax(dt2,1)), 'ce bwd', U(lambda:torch.ops.aten._log_softmax_backward_data(dt,dt,1,torch.float32)))
