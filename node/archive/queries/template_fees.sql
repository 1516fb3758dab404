-- Fees in the templates of miners: the best and the median at each Bitcoin height of the newest day, satoshi. What lies
-- between them is what slow or picky templates leave.
select bitcoin_height, max(coinbase_value) as best_sat,
    percentile_disc(0.5) within group (order by coinbase_value) as median_sat, count(distinct script) as miners
from share where time > (select max(time) - interval '1 day' from link)
group by 1 order by 1
