import os,sys,time,glob,resource
sys.path.insert(0,'/work/wt/train/benchmarks')
import torch; torch.set_num_threads(1)
import spacy, spacy_mtl
from thinc.api import fix_random_seed,NumpyOps,set_current_ops
from pathlib import Path
from measuring.systems import config_of,TrunkSize
from measuring.training import *
from measuring.training import some_examples
name,words=sys.argv[1],5000
if len(sys.argv)>2: set_current_ops(NumpyOps(use_blis=False))
nlp=spacy.load(glob.glob(f'/work/runs/train/speedcache/ewt-{name}-300-*')[0])
cfg=config_of(name,Path('/work/wt/train/configs/multitask.cfg'),TrunkSize(),'reduce',100000)
if 'senter' in nlp.pipe_names: nlp.remove_pipe('senter')
cfg['training']['annotating_components']=[]
full=with_data(cfg,Path('/work/runs/train/sub.spacy'))
ex=some_examples(read_examples(nlp,full),words)
steps=training_steps(nlp,full,ex,make_optimizer(full))
for r in range(4):
    a=resource.getrusage(resource.RUSAGE_SELF); w=0;n=0
    while w<words: w+=next(steps);n+=1
    b=resource.getrusage(resource.RUSAGE_SELF)
    print('us/word user',(b.ru_utime-a.ru_utime)/w*1e6,'sys',(b.ru_stime-a.ru_stime)/w*1e6,'minflt/word',(b.ru_minflt-a.ru_minflt)/w,'ctx',b.ru_nivcsw-a.ru_nivcsw,'steps',n,'w',w)
