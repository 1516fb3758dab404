-- What the newest 8,640 links of the main chain credit each script: about what a block would pay by.
select encode(script.script, 'hex') as script, sum(credited.proofs) as proofs, sum(credited.weight) as weight
from (select * from main_link order by height desc limit 8640) as link
cross join lateral unnest(credit_scripts, credit_proofs, credit_weights) as credited (script, proofs, weight)
join script on script.number = credited.script
group by 1 order by 3 desc, 1
