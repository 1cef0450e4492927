-- Paces the flood: each connection waits 10 ms on average before it sends its next request.
function delay()
  return math.random(1, 19)
end
