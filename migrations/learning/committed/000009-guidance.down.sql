drop table notifications, user_achievements, achievements, recommendations, learning_goals;
